import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SvgPen } from "../draw/pen.ts";
import type { Poster } from "./figure.ts";
import { LIGHT } from "./palette.ts";

const names = readdirSync(import.meta.dirname).filter((name) => existsSync(`${import.meta.dirname}/${name}/figure.ts`));

test.each(names)("the documents have the poster of %s as its painter draws it", async (name) => {
  const { poster } = (await import(`./${name}/poster.ts`)) as { poster: Poster };
  const pen = new SvgPen();
  const height = poster.heightFor(720);
  poster.paint(pen, 720, height, LIGHT);
  const stored = readFileSync(new URL(`../../../docs/figures/${name}.svg`, import.meta.url), "utf8");
  expect(stored, "npm run charts writes it").toBe(pen.document(720, height, LIGHT.paper));
});
