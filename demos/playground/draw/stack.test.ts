import { expect, test } from "vitest";
import { faded, LIGHT, type Palette, rgb } from "./palette.ts";
import { SvgPen } from "./pen.ts";
import { type Axis, compact, describeRow, paintStack, type Row, StackLayout, tickDistance } from "./stack.ts";

const palette: Palette = {
  ...LIGHT,
  paper: "#ffffff",
  ink: "#000000",
  muted: "#777777",
  line: "#dddddd",
  accent: "#cc0000",
  excite: "#cc0000",
  inhibit: "#0000cc",
  input: "#555555",
  layers: ["#1111aa", "#11aa11", "#aa11aa"],
  readout: "#665544",
  classes: ["#885500", "#5544bb"],
};
const axis: Axis = { steps: 4, dt: 2, unit: "ms" };
const raster: Row = {
  kind: "raster",
  title: "Layer <1> & more",
  height: 40,
  size: 2,
  values: Float32Array.of(1, 0, 0, 0.5, 0, 0, 1, 1),
  color: palette.input,
};
const trace: Row = {
  kind: "trace",
  title: "u",
  height: 50,
  series: [{ values: [0, 1, -1, 0.5], color: "#1111aa" }],
  low: -1,
  high: 1,
};

test("stack: rows lie below each other, and the height is known before anything is painted", () => {
  const layout = new StackLayout([raster, trace], axis, 400);
  expect(layout.tops).toEqual([24, 96]);
  expect(layout.height).toBe(186);
  for (let t = 0; t < 4; t++) expect(layout.stepAt(layout.x(t))).toBe(t);
  expect([layout.stepAt(-10), layout.stepAt(1000)]).toEqual([0, 3]);
});

test("stack: as SVG, with titles, spikes and a curve", () => {
  const layout = new StackLayout([raster, trace], axis, 400);
  const pen = new SvgPen();
  paintStack(pen, [raster, trace], layout, palette);
  const svg = pen.document(400, layout.height, palette.paper);
  expect(svg).toContain("Layer &#60;1&#62; &#38; more");
  expect(svg).toContain('stroke="#1111aa"');
  // Three spikes in one path: a thick line each.
  const ticks = svg.match(/<path d="([^"]*)" stroke="#555555"/g)?.at(-1) ?? "";
  expect(ticks.match(/M/g)?.length).toBe(3);
  expect(svg).toContain(">ms</text>");
});

test("stack: labels of curves that end in one place stand on top of each other, and curves without one take no room", () => {
  const series = ["rate", "", "latency"].map((label) => ({ values: [0, 0, 0, 0], color: "#1111aa", label }));
  const row: Row = { ...trace, series } as Row;
  const pen = new SvgPen();
  const layout = new StackLayout([row], axis, 400);
  paintStack(pen, [row], layout, palette);
  const svg = pen.document(400, layout.height, palette.paper);
  const [rate, latency] = ["rate", "latency"].map((label) => Number(svg.match(`y="([\\d.]+)"[^>]*>${label}<`)?.[1]));
  expect((rate as number) - (latency as number)).toBe(13);
});

test("stack: what is said of a step", () => {
  expect([0, 1, 2, 3].map((t) => describeRow(raster, t))).toEqual(["1 spike", "1 inputs", "0 spikes", "2 spikes"]);
  expect([0, 2].map((t) => describeRow(trace, t))).toEqual(["0.00", "−1.00"]);
});

test("stack: ticks of the axis are 1, 2 or 5 times a power of ten", () => {
  expect([tickDistance(24, 8), tickDistance(200, 9), tickDistance(200, 4), tickDistance(4, 100)]).toEqual([
    5, 50, 50, 1,
  ]);
  expect([compact(0.123), compact(-24.3), compact(1234)]).toEqual(["0.12", "−24", "1234"]);
});

test("palette: colours and how they fade", () => {
  expect(rgb("#1a2b3c")).toEqual([26, 43, 60]);
  expect(faded("#ff0080", 0.25)).toBe("rgba(255,0,128,0.25)");
});
