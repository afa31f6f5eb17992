/** The index page of the pictures that demos draw without a flag. */
import { readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PICTURES } from "./folders.ts";
import { DEMOS } from "./list.ts";

/** Writes index.html with the pictures of the folder, where the folder is {@link PICTURES}. */
export function writePictures(folder: string): void {
  if (resolve(folder) !== resolve(PICTURES)) return;
  const files = readdirSync(folder).filter((file) => file.endsWith(".svg"));
  writeFileSync(join(folder, "index.html"), pageOf(files));
}

/** A page with a picture below the words of each demo that has one, in the order of the list. */
export function pageOf(files: readonly string[]): string {
  const sections = Object.entries(DEMOS)
    .filter(([name]) => files.includes(`${name}.svg`))
    .map(([name, { title }]) => {
      const image = `<a href="${name}.svg"><img src="${name}.svg" alt="${title}"></a>`;
      return `<section id="${name}"><h2>${name}</h2><p>${title}</p>${image}</section>`;
    });
  const style =
    "body{max-width:60rem;margin:2rem auto;font:1rem/1.5 sans-serif}img{max-width:100%;border:1px solid #ddd}";
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>Pictures of the demos</title><style>${style}</style>`,
    "<h1>Pictures of the demos</h1>",
    ...sections,
    "</html>",
    "",
  ].join("\n");
}
