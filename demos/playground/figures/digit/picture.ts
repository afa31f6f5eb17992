/** The moving picture for the plain documents: the hand writes a three, and the wave crosses. */

import { animated } from "../../draw/moving.ts";
import { DARK, faded, LIGHT, type Palette } from "../../draw/palette.ts";
import { storedReader } from "./files.ts";
import { example } from "./poster.ts";
import { roundOf } from "./round.ts";

/** The document of the picture. */
export function picture(): string {
  const reader = storedReader();
  const { strokes } = example;
  const round = roundOf(strokes, reader.read(strokes), reader.places, LIGHT, "a recording");
  return darkStyle(animated(round, LIGHT.paper, "A recording: a drawn digit becomes a wave of spikes"));
}

/** Roles of the palette that pictures of this folder use. */
const ROLES = ["paper", "raised", "ink", "muted", "line", "membrane", "up"] as const;

/** A picture in light colours with a style that gives it the dark ones on a dark page. */
export function darkStyle(svg: string): string {
  const rules = [...new Set(svg.match(/(fill|stroke)="(#|rgba)[^"]+"/g))].map((attribute) => {
    const [name, light] = attribute.slice(0, -1).split('="') as [string, string];
    const alpha = Number(/,([\d.]+)\)$/.exec(light)?.[1] ?? 1);
    const colorIn = (palette: Palette, role: (typeof ROLES)[number]): string =>
      alpha < 1 ? faded(palette[role], alpha) : palette[role];
    const role = ROLES.find((role) => colorIn(LIGHT, role) === light);
    if (role === undefined) throw new Error(`darkStyle: expected a color of the palette, got ${light}`);
    return `[${attribute}]{${name}:${colorIn(DARK, role)}}`;
  });
  return svg.replace(/<\/svg>$/, `<style>@media(prefers-color-scheme:dark){${rules.join("")}}</style></svg>`);
}
