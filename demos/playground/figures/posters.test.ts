import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DARK, LIGHT, type Palette } from "../draw/palette.ts";
import { SvgPen } from "../draw/pen.ts";
import type { Poster } from "./figure.ts";

const names = readdirSync(import.meta.dirname).filter((name) => existsSync(`${import.meta.dirname}/${name}/figure.ts`));

async function drawn(name: string, palette: Palette): Promise<string> {
  const { poster } = (await import(`./${name}/poster.ts`)) as { poster: Poster };
  const pen = new SvgPen();
  const height = poster.heightFor(720);
  poster.paint(pen, 720, height, palette);
  return pen.document(720, height, palette.paper);
}

test.each(names)("the documents have the poster of %s as its painter draws it", async (name) => {
  const stored = readFileSync(new URL(`../../../docs/figures/${name}.svg`, import.meta.url), "utf8");
  expect(stored, "npm run charts writes it").toBe(await drawn(name, LIGHT));
});

test.each(names)("a dark page has the poster of %s in colours of its own", async (name) => {
  const dark = Object.values(DARK).flat();
  const others = Object.values(LIGHT)
    .flat()
    .filter((color) => !dark.includes(color));
  const svg = await drawn(name, DARK);
  expect(others.filter((color) => svg.includes(color))).toEqual([]);
});
