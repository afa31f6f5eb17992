import { expect, test } from "vitest";
import type { SampleView } from "../model/views.ts";
import { leadersOverTime } from "./sample-rows.ts";

const sample = (readout: number[]): SampleView => ({
  timesteps: readout.length / 2,
  input: new Float32Array(0),
  layers: [],
  readout: Float32Array.from(readout),
  classes: 2,
  label: 0,
  decision: 0,
});

test("leaders: by the scores of the step, or by the largest so far", () => {
  const scores = [0, 1, 3, 2, 0, 1, 0, 4];
  expect(leadersOverTime(sample(scores), false)).toEqual([1, 0, 1, 1]);
  expect(leadersOverTime(sample(scores), true)).toEqual([1, 0, 0, 1]);
});
