/** The entry without the compiler before the complete one. */
// biome-ignore assist/source/organizeImports: the order is what the test is about
import { LIF as CoreLIF, tensor } from "jarvis-snn/core";
import { LIF } from "jarvis-snn";
import { spikesOf } from "./refractory.js";

export const result = { one: LIF === CoreLIF, spikes: spikesOf(CoreLIF, tensor) };
