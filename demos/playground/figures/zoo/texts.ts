/** Words that the living figure and its poster share. */
import type { Pattern } from "./model.ts";

export const FAMILIES = [
  "Izhikevich’s neuron: twenty settings of one equation",
  "The adaptive exponential neuron, AdEx: eight settings",
] as const;

/** The window of a pattern. */
export const lengthOf = ({ milliseconds }: Pattern): string => `${Math.round(milliseconds)} ms`;
