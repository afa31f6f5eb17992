/** Names one surrogate of many. */
import { LIF, surrogate } from "jarvis-snn";

export const lif = new LIF({ surrogate: surrogate.atan() });
