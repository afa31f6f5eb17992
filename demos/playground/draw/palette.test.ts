import { expect, test } from "vitest";
import { DARK, LIGHT, rgb } from "./palette.ts";

/** A colour as lightness and two hues, in which equal distances look equal (Oklab). */
function lab(color: string): number[] {
  const [r, g, b] = rgb(color).map((value) =>
    value / 255 <= 0.04045 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  ) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

const distance = (a: string, b: string): number => {
  const [from, to] = [lab(a), lab(b)];
  return Math.hypot(...from.map((value, i) => value - (to[i] as number)));
};

const LOOKS = [
  ["light", LIGHT],
  ["dark", DARK],
] as const;

/** Two colours of one family, brick red and orange red, are 0.05 apart. */
const APART = 0.09;

test.each(LOOKS)("excitation, inhibition and what is to be pressed have colours of their own: %s", (_, palette) => {
  const { excite, inhibit, accent, ink } = palette;
  const all: Record<string, string> = { excite, inhibit, accent, ink };
  const layers = palette.layers.map((color, i) => [`layer ${i + 1}`, color] as const);
  const classes = palette.classes.map((color, i) => [`class ${i}`, color] as const);
  const close = Object.entries(all).flatMap(([name, color]) =>
    [...Object.entries(all), ...layers, ...classes]
      .filter(([other, each]) => other !== name && distance(color, each) <= APART)
      .map(([other]) => `${name} and ${other}`),
  );
  expect(close).toEqual([]);
});
