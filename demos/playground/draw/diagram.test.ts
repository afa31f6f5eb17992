import { expect, test } from "vitest";
import type { SampleView } from "../model/views.ts";
import { type DiagramInput, neuronAt, paintDiagram } from "./diagram.ts";
import { LIGHT, rgb } from "./palette.ts";
import type { Pen } from "./pen.ts";

/** A chain: an input, two layers of a neuron, two classes. All fire in the second of three steps. */
const fires = Float32Array.of(0, 1, 0);
const layer = { size: 1, spikes: fires, membrane: Float32Array.of(0, 1, 0) };
const sample: SampleView = {
  timesteps: 3,
  input: fires,
  layers: [layer, layer],
  readout: new Float32Array(6),
  scores: Float32Array.of(0, 0, 0, 1, 0, 1),
  leaders: Int32Array.of(-1, 1, 1),
  classes: 2,
  label: 1,
  decision: 1,
};
const input: DiagramInput = {
  sample,
  matrices: [Float32Array.of(1), Float32Array.of(1), Float32Array.of(1, 1)],
  threshold: 1,
  classNames: ["disc", "square"],
};

/** Parts of a picture of 400 pixels: columns with neurons that glow, places of spikes that travel, and bold names. */
function painted(time: number, running: boolean) {
  const seen = { glowing: [] as number[], ways: [] as number[], bold: [] as string[] };
  const pen: Pen = {
    line: () => {},
    area: () => {},
    boxes: () => {},
    discs: (discs, color) => {
      for (let i = 0; i < discs.length; i += 3) {
        if (color === LIGHT.excite) seen.ways.push((((discs[i] as number) - 28) / 308) * 3);
        // The glow of a neuron reaches four pixels beyond it.
        else if (color.startsWith("rgba")) seen.glowing.push(Math.round((((discs[i] as number) - 28) / 308) * 3));
      }
    },
    text: (_x, _y, text, { bold }) => void (bold && seen.bold.push(text)),
  };
  paintDiagram(pen, { ...input, running }, time, 400, 240, LIGHT);
  return seen;
}

test("diagram: in a step that runs, a column answers once the spikes of the one before have come", () => {
  expect(painted(1, true)).toEqual({ glowing: [], ways: [], bold: [] });
  // From the input to the first layer, in a quarter of the step.
  const first = painted(1.15, true);
  expect(first).toMatchObject({ glowing: [], bold: [] });
  expect(first.ways.every((way) => way > 0 && way < 1)).toBe(true);
  const second = painted(1.35, true);
  expect(second).toMatchObject({ glowing: [1], bold: [] });
  expect(second.ways.every((way) => way > 1 && way < 2)).toBe(true);
  const third = painted(1.6, true);
  expect(third).toMatchObject({ glowing: [1, 2], bold: [] });
  expect(third.ways.every((way) => way > 2 && way < 3)).toBe(true);
  expect(painted(1.9, true)).toEqual({ glowing: [1, 2], ways: [], bold: ["square"] });
});

/** How many times lighter paper is than a colour (WCAG). */
function contrast(color: string): number {
  const light = (hex: string): number => {
    const [r, g, b] = rgb(hex).map((v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4)) as [
      number,
      number,
      number,
    ];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const [one, other] = [light(color), light(LIGHT.paper)];
  return Math.max(one, other) / Math.min(one, other);
}

test("diagram: an input at rest has an outline that is seen", () => {
  const boxes: [size: number, color: string][] = [];
  const pen: Pen = {
    ...{ line: () => {}, area: () => {}, discs: () => {}, text: () => {} },
    boxes: (list, color) => void boxes.push([list[2] ?? 0, color]),
  };
  // In the first step nothing fires.
  paintDiagram(pen, input, 0, 400, 240, LIGHT);
  const [outline, within] = boxes.filter(([size]) => size > 0) as [(typeof boxes)[0], (typeof boxes)[0]];
  expect(outline[0]).toBeGreaterThan(within[0]);
  expect(within[1]).toBe(LIGHT.paper);
  expect(contrast(outline[1])).toBeGreaterThan(3);
});

test("diagram: at rest a step is shown as a whole", () => {
  const { glowing, ways, bold } = painted(1.5, false);
  expect({ glowing, bold }).toEqual({ glowing: [1, 2], bold: ["square"] });
  expect(ways.map((way) => way % 1)).toEqual(ways.map(() => expect.closeTo(0.5)));
});

test("diagram: of a large layer the neurons are drawn whose spikes vary most, and the pinned one", () => {
  const size = 20;
  // 0 to 9 fire always, 10 to 18 once, 19 never.
  const spikes = Float32Array.from({ length: 3 * size }, (_, i) =>
    Number(i % size < 10 || (i % size < 19 && i < size)),
  );
  const large = { ...input, sample: { ...sample, layers: [{ size, spikes, membrane: spikes }] } };
  const shown = (framed: DiagramInput["framed"]) =>
    Array.from({ length: 240 }, (_, y) => neuronAt({ ...large, framed: framed ?? null }, [28 + 308 / 2, y], 400, 240))
      .flatMap((place) => place?.neuron ?? [])
      .filter((neuron, i, all) => neuron !== all[i - 1]);
  expect(shown(null)).toEqual([0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
  expect(shown({ layer: 0, neuron: 19 })).toEqual([0, 1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});
