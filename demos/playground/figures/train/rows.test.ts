import { expect, test } from "vitest";
import type { Palette } from "../../draw/palette.ts";
import { describeRow, type Row } from "../../draw/stack.ts";
import { leadersOverTime, scoresOverTime } from "../../model/decision.ts";
import type { SampleView } from "../../model/views.ts";
import { sampleRows } from "./rows.ts";

const color = "#123456";
const palette = {
  ...Object.fromEntries(["paper", "ink", "muted", "line", "accent", "input", "readout"].map((name) => [name, color])),
  layers: [color],
  classes: [color, color],
} as unknown as Palette;

/** The row of a readout [T, 2] that is judged by its largest value. */
function readoutRow(values: number[]): Extract<Row, { kind: "trace" }> {
  const readout = Float32Array.from(values);
  const scores = scoresOverTime(readout, 2, true);
  const leaders = leadersOverTime(scores, 2);
  const sample: SampleView = {
    timesteps: values.length / 2,
    input: new Float32Array(values.length / 2),
    layers: [],
    readout,
    scores,
    leaders,
    classes: 2,
    label: 0,
    decision: leaders.at(-1) as number,
  };
  const about = { inputTitle: "", threshold: 1, surrogate: new Float32Array(1), classNames: ["disc", "square"] };
  return sampleRows({ sample, ...about, pin: null, judgedByMaximum: true }, palette).at(-1) as ReturnType<
    typeof readoutRow
  >;
}

test("readout: the row tells who leads by which value, and marks where the lead stays", () => {
  const row = readoutRow([0, 0, 1, 0, 5, 0, -9, 2]);
  expect([0, 1, 2, 3].map((t) => describeRow(row, t))).toEqual([
    "nobody leads",
    "disc leads, 1.00",
    "disc leads, 5.00",
    "disc leads, 5.00",
  ]);
  expect(row.mark).toMatchObject({ t: 2, label: "decides for disc" });
  // Two sums below two largest values, the winner on top.
  expect(row.series.length).toBe(4);
  expect(row.series[3]?.values).toEqual(Float32Array.of(0, 1, 5, 5));
});

test("membrane: the trace reaches the strongest potentials on both sides", () => {
  const membrane = Float32Array.of(0.5, -9, 12, 0);
  const sample: SampleView = {
    timesteps: 4,
    input: new Float32Array(4),
    layers: [{ size: 1, spikes: Float32Array.of(0, 0, 1, 0), membrane }],
    readout: new Float32Array(8),
    scores: new Float32Array(8),
    leaders: new Int32Array(4).fill(-1),
    classes: 2,
    label: 0,
    decision: -1,
  };
  const about = { inputTitle: "", threshold: 1, surrogate: new Float32Array(1), classNames: ["disc", "square"] };
  const rows = sampleRows({ sample, ...about, pin: { layer: 0, neuron: 0 }, judgedByMaximum: true }, palette);
  expect(rows.at(-2)).toMatchObject({ kind: "trace", low: -9, high: 12 });
});

test("readout: without a leader nothing is decided", () => {
  const row = readoutRow([0, 0, -1, -2]);
  expect(row.mark).toBeUndefined();
  expect(describeRow(row, 1)).toBe("nobody leads");
});
