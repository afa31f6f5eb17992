import { expect, test } from "vitest";
import { LIGHT } from "../../draw/palette.ts";
import type { Pen, TextStyle } from "../../draw/pen.ts";
import { paintStack, StackLayout } from "../../draw/stack.ts";
import { parse } from "./language.ts";
import { TypedNeuron } from "./model.ts";
import { axisOf, currentRange, paintCurve, paintPlane, rowsOf } from "./paint.ts";
import { PRESETS } from "./presets.ts";
import { Roles } from "./roles.ts";
import { sceneOf } from "./scene.ts";

/** About the width of a sign at 12 pixels; a raised one is narrower. */
const widthOf = (text: string): number =>
  [...text].reduce((sum, sign) => sum + (/[⁰¹²³⁴-⁹⁻.·]/u.test(sign) ? 4.5 : 7.2), 0);

/** Texts of pictures that reach beyond the left or the right end. */
function cut(text: string, current: Float32Array, width: number): string[] {
  const typed = new TypedNeuron(parse(text));
  const scene = sceneOf(typed, current, current.length - 10);
  typed.dispose();
  const roles = new Roles();
  roles.assign(scene.equations);
  const found: string[] = [];
  const nothing = () => {};
  const pen: Pen = {
    ...{ line: nothing, area: nothing, boxes: nothing, discs: nothing },
    text(x: number, _: number, words: string, { align = "left" }: TextStyle) {
      const from = x - widthOf(words) * { left: 0, center: 0.5, right: 1 }[align];
      if (from < -2 || from + widthOf(words) > width + 2) found.push(words);
    },
  };
  const rows = rowsOf(scene, currentRange(current), roles, LIGHT, true);
  paintStack(pen, rows, new StackLayout(rows, axisOf(current.length), width), LIGHT);
  paintPlane(pen, scene, roles, LIGHT, width, 240);
  paintCurve(pen, scene, LIGHT, width, 240);
  return found;
}

const TEXTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(PRESETS.map(({ name, text }) => [name, text])),
  "grows to 10²²": "v′ = 1.13·v + I + 1",
  "grows beyond all": "v′ = v·v + I + 1",
  "two that grow": "v′ = 1.02·v + I + 1\ns = [v ≥ 59248]\nw′ = −1.1·w − I",
  "small ones": "u = 0.5v + 0.00001·I\ns = [u ≥ 0.00002]\nv′ = u\nw′ = 0.9w − 0.000123·I",
  "no number": "u = v/0 + I\ns = [u ≥ 1]\nv′ = u",
  "a small negative end": "v′ = 0.9v + I\nw′ = 0.9w − 0.0123·I",
  "long names": "potential′ = 0.9potential + I\nadaptation′ = 0.9adaptation + I",
};

test.each(Object.entries(TEXTS))("labels fit on a phone and on a desktop: %s", (_, text) => {
  for (const size of [0.14, 1e-6, -0.3, 1e6]) {
    const current = Float32Array.from({ length: 300 }, (_, t) => (t < 30 ? 0 : size));
    for (const width of [320, 590]) expect([size, width, ...cut(text, current, width)]).toEqual([size, width]);
  }
});

/** The rows of v′ = v + I under 100 steps of a current. */
function rowsUnder(size: number) {
  const typed = new TypedNeuron(parse("v′ = v + I"));
  const current = new Float32Array(100).fill(size);
  const scene = sceneOf(typed, current, 50);
  typed.dispose();
  const roles = new Roles();
  roles.assign(scene.equations);
  return rowsOf(scene, currentRange(current), roles, LIGHT, false);
}

test("labels are in the power of ten that the title names", () => {
  const [input, credit, membrane] = rowsUnder(1000);
  expect([input?.title, credit?.title.slice(0, 20), membrane?.title]).toEqual([
    "I in 10³, the current: draw here",
    "∂v[50]/∂I: how the c",
    "v in 10⁵, the membrane",
  ]);
  const trace = membrane?.kind === "trace" ? membrane : null;
  expect([trace?.series[0]?.values[99], trace?.low, trace?.high]).toEqual([1, 0.01, 1.1]);
});

test.each([
  [1000, "v = 100000"],
  [1e22, "v = 1·10²⁴"],
  [1e-22, "v = 1·10⁻²⁰"],
  [-1e-22, "v = −1·10⁻²⁰"],
])("the cursor tells the number itself: %s", (size, expected) => {
  const row = rowsUnder(size)[2];
  expect(row?.kind === "trace" && row.describe?.(99)).toBe(expected);
});
