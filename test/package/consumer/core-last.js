/** The entry without the compiler behind the complete one. */
import { LIF } from "jarvis-snn";
import { LIF as CoreLIF, tensor } from "jarvis-snn/core";
import { spikesOf } from "./refractory.js";

export const result = { one: LIF === CoreLIF, spikes: spikesOf(CoreLIF, tensor) };
