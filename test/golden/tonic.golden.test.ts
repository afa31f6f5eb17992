/** Representations and filters of tonic. */
import type { Tensor } from "jarvis-snn";
import {
  denoise,
  type EventRecording,
  refractoryPeriod,
  toAveragedTimesurface,
  toBinaryRepresentation,
  toFrames,
  toTimesurface,
  toVoxelGrid,
} from "jarvis-snn/events";
import { expect } from "vitest";
import { expectClose } from "../support/close.ts";
import { type GoldenTensor, toTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { lookUp } from "./neurons.ts";

type Columns = { readonly [name in "t" | "x" | "y" | "p"]: readonly number[] };

interface Case {
  readonly name: string;
  readonly options: { readonly sensor_size?: readonly [number, number, number] } & Readonly<Record<string, unknown>>;
  readonly input?: GoldenTensor;
  readonly output?: GoldenTensor;
  readonly events?: Columns;
}

interface Content {
  readonly events: Columns;
  readonly cases: readonly Case[];
}

type Run = (events: EventRecording, options: never, input: Tensor | null) => Tensor | EventRecording;

const RUNS: Readonly<Record<string, Run>> = {
  to_frame: toFrames,
  to_voxel_grid: toVoxelGrid,
  to_timesurface: toTimesurface,
  to_averaged_timesurface: toAveragedTimesurface,
  to_bina_rep: (_events, options, input) => toBinaryRepresentation(input as Tensor, options),
  denoise,
  refractory_period: refractoryPeriod,
};

/** time_window → timeWindow */
const camelCase = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** The recording; where a case does not tell the sensor, one that just holds its events. */
function recordingOf({ t, x, y, p }: Columns, size: readonly number[] = []): EventRecording {
  const [width = Math.max(...x) + 1, height = Math.max(...y) + 1] = size;
  const columns = { x: Uint16Array.from(x), y: Uint16Array.from(y), p: Uint8Array.from(p) };
  return { t: Float64Array.from(t), ...columns, width, height };
}

goldenSuite<Content, Case>({
  file: "events/tonic",
  // The same function comes several times.
  entries: ({ cases }) => cases.map((each) => ({ ...each, name: `${each.name} ${JSON.stringify(each.options)}` })),
  reads: ["cases", "events"],
  leftOut: {},
  run({ name, options: { sensor_size, ...given }, input, output, events }, content) {
    const run = lookUp<Run>("function", RUNS, name.split(" ")[0] as string);
    const options = Object.fromEntries(Object.entries(given).map(([key, value]) => [camelCase(key), value]));
    const recording = recordingOf(content.events, sensor_size);
    const result = run(recording, options as never, input === undefined ? null : toTensor(input));
    if (output !== undefined) expectClose("output", result as Tensor, output, { absolute: 1e-5, relative: 1e-5 });
    else {
      const { t, x, y, p } = result as EventRecording;
      expect({ t: [...t], x: [...x], y: [...y], p: [...p] }).toEqual(events);
    }
  },
});
