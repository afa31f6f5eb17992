import { afterEach, expect, test, vi } from "vitest";
import {
  firingCurve,
  gradientNorms,
  LeakyIntegrator,
  LIF,
  rand,
  record,
  Sequential,
  tape,
  tensor,
  zeros,
} from "../../index.ts";
import { curvePlot, firingCurvePlot, gradientFlowPlot, rasterPlot, sheet, tracePlot } from "./index.ts";

afterEach(() => {
  vi.doUnmock("echarts/core");
  vi.resetModules();
});

const spikes = tensor([[[1, 0, 0]], [[0, 0, 1]], [[0, 0, 0]], [[1, 0, 0]]]);

/** The paths of a colour. */
const paths = (svg: string, colour: string) =>
  [...svg.matchAll(/<path d="([^"]*)"[^>]*>/g)]
    .filter(([whole]) => whole.includes(`"${colour}"`))
    .map(([, d]) => d as string);
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text as string);

const BLUE = "#0969da";

test("rasterPlot: a tick for each spike, at its step and its neuron", async () => {
  const svg = await rasterPlot(spikes, { title: "Three neurons" });
  expect(svg).toMatch(/^<svg id="chart-[0-9a-f]{8}" role="img" [^>]*>\n<title>Three neurons<\/title>/);
  expect(svg.trimEnd()).toMatch(/<\/svg>$/);
  const [ticks = ""] = paths(svg, BLUE);
  const starts = [...ticks.matchAll(/M([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(starts).toHaveLength(3);
  const [[x0, y0], [x1, y1], [x2, y2]] = starts as [number, number][] as [
    [number, number],
    [number, number],
    [number, number],
  ];
  // Steps 0, 1 and 3 of four, in 620 pixels; neurons 0, 2 and 0, upwards.
  expect(x1 - x0).toBeCloseTo(155, 0);
  expect(x2 - x0).toBeCloseTo(465, 0);
  expect(y2).toBe(y0);
  expect(y1).toBeLessThan(y0);
  expect(texts(svg)).toEqual(expect.arrayContaining(["time step", "neuron", "3 neurons, 0.25 spikes per step"]));
});

test("rasterPlot: tensors by name are panels, of another sample, in ms; layers without spikes are left out", async () => {
  const two = zeros([4, 2, 3]);
  two.copyFrom(Array.from({ length: 24 }, (_, i) => (i === 3 ? 1 : 0)));
  const svg = await rasterPlot({ hidden: two, readout: null, out: spikes.expand([4, 2, 3]) }, { sample: 1, dtMs: 2 });
  expect(texts(svg).filter((text) => text === "time (ms)")).toHaveLength(2);
  expect(texts(svg).filter((text) => / neurons, /.test(text))).toEqual([
    "hidden · 3 neurons, 0.0833 spikes per step",
    "out · 3 neurons, 0.25 spikes per step",
  ]);
});

test("tracePlot: lines of the neurons that are named, the threshold, and dots at spikes", async () => {
  const membrane = rand([4, 1, 3]);
  const svg = await tracePlot(membrane, { neurons: [0, 2], threshold: 0.5, spikes });
  expect(texts(svg).map((text) => text.trim())).toEqual(
    expect.arrayContaining(["neuron 0", "neuron 2", "threshold θ", "membrane u"]),
  );
  const own = paths(svg, BLUE);
  expect(own.some((d) => /^M[\d. ]+(L[\d. ]+){3}$/.test(d))).toBe(true);
  // Neuron 0 fires twice: two circles of two arcs.
  expect(own.join("").match(/A3 3/g)).toHaveLength(4);
  expect(svg).toMatch(/stroke-dasharray="[^"]+"[^>]*#cf222e|#cf222e[^>]*stroke-dasharray="[^"]+"/);
});

test("plots: the same data give the same text, in each call and beside other charts", async () => {
  const draw = () => rasterPlot(spikes, { title: "a" });
  const first = await draw();
  await firingCurvePlot({ LIF: firingCurve(new LIF(), [0, 1]) });
  expect(await draw()).toBe(first);
  expect(first).not.toMatch(/zr\d|NaN|undefined/);
  const other = await rasterPlot(spikes, { title: "b" });
  expect(other.match(/chart-\w+/)?.[0]).not.toBe(first.match(/chart-\w+/)?.[0]);
});

test("plots: dark colours where the reader prefers them, always, or never", async () => {
  const [auto, dark, light] = await Promise.all(
    (["auto", "dark", "light"] as const).map((theme) => rasterPlot(spikes, { theme })),
  );
  expect(auto).toMatch(/@media \(prefers-color-scheme: dark\)\{#chart-\w+ \[fill="#ffffff"\]\{fill:#0d1117\}/);
  expect(dark).toMatch(/<style>#chart-\w+ \[fill="#ffffff"\]\{fill:#0d1117\}/);
  expect(light).not.toContain("<style>");
  // Each colour of the chart has a counterpart.
  const colours = new Set([...(light?.matchAll(/(?:fill|stroke)="(#\w+)"/g) ?? [])].map(([, colour]) => colour));
  for (const colour of colours) expect(dark).toContain(`="${colour}"]{`);
});

test("plots: tensors are read before anything is awaited", async () => {
  let drawing = Promise.resolve("");
  tape(() => {
    drawing = rasterPlot(spikes.mul(1));
  });
  expect(await drawing).toBe(await rasterPlot(spikes));
});

test("gradientFlowPlot: norms of layers and steps, by their names", async () => {
  const recording = record(new Sequential(new LIF(), new LeakyIntegrator()), rand([6, 2, 3]).mul(2), {
    loss: (z) => z.sum(),
  });
  const svg = await gradientFlowPlot(gradientNorms(recording), { title: "Flow <1>" });
  expect(texts(svg).map((text) => text.trim())).toEqual(
    expect.arrayContaining(["From layer to layer", "From step to step", "leaving, ∂L/∂I", "0", "1", "Flow &lt;1&gt;"]),
  );
  expect(svg).toContain("<title>Flow &lt;1></title>");
  expect(svg).toMatch(/>10[⁻⁰¹]/);
});

test("gradientFlowPlot and rasterPlot: layers are in the order of their run", async () => {
  const block = new Sequential(new LIF(), new LIF());
  const recording = record(new Sequential(block, new LIF()), rand([6, 2, 3]).mul(2), { loss: (z) => z.sum() });
  const { order, layers } = recording;
  expect(order).toEqual(["0.0", "0.1", "1"]);
  const isName = (text: string) => order.includes(text);
  const flow = texts(await gradientFlowPlot(gradientNorms(recording))).map((text) => text.trim());
  expect(flow.filter(isName).slice(0, 3)).toEqual(order);
  const rasters = texts(await rasterPlot(new Map(order.map((name) => [name, layers[name]?.spikes ?? null]))));
  const headings = rasters.flatMap((text) => /^(\S+) · /.exec(text)?.[1] ?? []);
  expect(headings).toEqual(order);
});

test("curvePlot and firingCurvePlot: a line for each curve", async () => {
  const svg = await curvePlot(
    { a: { x: [0, 1, 2], y: [1, 0, 100] }, b: { x: [0, 2], y: Float32Array.of(3, 4) } },
    { log: true },
  );
  // The 0 is a gap of a logarithmic axis.
  expect(paths(svg, BLUE).some((d) => /L/.test(d) && d.split("L").length === 3)).toBe(false);
  // On two logarithmic axes powers of ten are ticks, and the point at 0 is a gap.
  const both = await curvePlot({ a: { x: [0, 1, 10, 1000], y: [5, 2, 20, 2000] } }, { log: true, logX: true });
  expect(texts(both)).toEqual(expect.arrayContaining(["10⁰", "10¹", "10³"]));
  const line = paths(both, BLUE).find((d) => d.split("L").length === 3) as string;
  const [from, middle, to] = [...line.matchAll(/([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  const slope = ([x0, y0]: number[] = [], [x1, y1]: number[] = []) =>
    (Number(y1) - Number(y0)) / (Number(x1) - Number(x0));
  expect(slope(from, middle)).toBeCloseTo(slope(middle, to), 2);
  const curve = firingCurve(new LIF(), [0, 0.5, 1]);
  expect(texts(await firingCurvePlot({ LIF: curve }))).toEqual(
    expect.arrayContaining(["current I", "rate f (spikes per step)"]),
  );
  const inHertz = texts(await firingCurvePlot({ LIF: curve }, { dtMs: 2 }));
  expect(inHertz).toEqual(expect.arrayContaining(["rate f (Hz)", "500"]));
});

test("plots: without the peer the error names it and how to install it", async () => {
  vi.resetModules();
  vi.doMock("echarts/core", () => {
    throw new Error("Cannot find package 'echarts'");
  });
  const { rasterPlot: draw } = await import("./index.ts");
  const { tensor: own } = await import("../../index.ts");
  await expect(draw(own([[[1]]]))).rejects.toThrow(
    "jarvis-snn/plot: expected the package echarts, which draws, got none that can be loaded; install it: npm install echarts",
  );
});

test("plots: errors say what was expected", async () => {
  await expect(rasterPlot(1 as never)).rejects.toThrow(
    "rasterPlot: expected spikes as a tensor or tensors by name, got 1",
  );
  await expect(rasterPlot({})).rejects.toThrow("rasterPlot: expected at least one tensor of spikes, got none");
  await expect(rasterPlot(spikes, { sample: 1 })).rejects.toThrow("expected a sample below 1, got 1 of [4, 1, 3]");
  await expect(rasterPlot(spikes, { width: 0 })).rejects.toThrow("rasterPlot: width must be a positive integer, got 0");
  await expect(rasterPlot(spikes, { theme: "blue" as never })).rejects.toThrow('theme "light", "dark" or "auto"');
  await expect(tracePlot(spikes, { neurons: [3] })).rejects.toThrow("tracePlot: expected neurons below 3, got 3");
  await expect(tracePlot(spikes, { spikes: zeros([3, 1, 3]) })).rejects.toThrow(
    "expected spikes of 4 steps and 3 neurons, got 3 and 3",
  );
  await expect(curvePlot({ a: { x: [1], y: [1, 2] } })).rejects.toThrow(
    "curvePlot: expected as many x as y in a, got 1 and 2",
  );
  await expect(curvePlot({})).rejects.toThrow("curvePlot: expected at least one curve, got none");
  await expect(gradientFlowPlot({ layers: {} })).rejects.toThrow("expected norms of at least one layer, got none");
  await expect(firingCurvePlot({ a: {} as never })).rejects.toThrow(TypeError);
});

test("plots: a sheet places charts in rows, each column as wide as its widest chart", async () => {
  const curve = { a: { x: [0, 1], y: [0, 1] } };
  const small = await curvePlot(curve, { width: 300, height: 200 });
  const large = await curvePlot(curve, { width: 400, height: 250 });
  const svg = sheet([small, large, large], { columns: 2, title: "a < b" });
  expect(svg).toMatch(/^<svg role="img" width="800" height="500" xmlns=/);
  expect(svg).toContain("<title>a &lt; b</title>");
  expect([...svg.matchAll(/<svg x="(\d+)" y="(\d+)"/g)].map(([, x, y]) => [x, y])).toEqual([
    ["0", "0"],
    ["400", "0"],
    ["0", "250"],
  ]);
  const named = await curvePlot(curve, { title: "named" });
  expect(
    sheet([named, small])
      .match(/<svg x=[^>]*>/g)
      ?.map((tag) => tag.includes('aria-hidden="true"')),
  ).toEqual([false, true]);
  expect(() => sheet([])).toThrow(new RangeError("sheet: expected at least one chart, got none"));
  expect(() => sheet(["<p>"])).toThrow(TypeError);
  expect(() => sheet([small], { columns: 0 })).toThrow(RangeError);
});
