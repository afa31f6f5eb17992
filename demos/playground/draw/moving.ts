/** Moving pictures. One list of parts gives the pictures of a film on a canvas, and an SVG that moves by its style sheet. */
import { type Pen, SvgPen } from "./pen.ts";

/** A drawing that is visible from one second of a round until another. */
export interface Part {
  readonly from: number;
  readonly until: number;
  paint(pen: Pen): void;
}

export interface Moving {
  readonly width: number;
  readonly height: number;
  /** The seconds of a round, after which it begins anew. */
  readonly seconds: number;
  /** The parts, each above those before it. */
  readonly parts: readonly Part[];
}

/** Paints the parts that are visible at a second of the round. */
export function paintMoment(pen: Pen, { parts }: Moving, second: number): void {
  for (const part of parts) if (part.from <= second && second < part.until) part.paint(pen);
}

/**
 * The document of a moving picture. Parts come and go by animations; a part of the whole round has none. Where nothing is animated, the
 * parts that end last make a still picture.
 */
export function animated({ width, height, seconds, parts }: Moving, ground: string, title: string): string {
  const pen = new SvgPen();
  const styles = [
    `g{animation-duration:${seconds}s;animation-iteration-count:infinite;animation-timing-function:step-end}`,
    ".passing{visibility:hidden}",
  ];
  const percent = (second: number): string => `${Math.round((10_000 * second) / seconds) / 100}%`;
  const [hidden, visible] = ["{visibility:hidden}", "{visibility:visible}"];
  const passing = parts.filter(({ from, until }) => from > 0 || until < seconds);
  const last = Math.max(...passing.map(({ until }) => until));
  for (const part of parts) {
    const index = passing.indexOf(part);
    if (index < 0) part.paint(pen);
    else {
      const { from, until } = part;
      const name = `p${index}`;
      styles.push(`.${name}{animation-name:${name}}`);
      styles.push(`@keyframes ${name}{0%${hidden}${percent(from)}${visible}${percent(until)}${hidden}}`);
      pen.group(until < last ? `${name} passing` : name, (own) => part.paint(own));
    }
  }
  pen.style(`${styles.join("")}@media (prefers-reduced-motion:reduce){g{animation:none}}`);
  return pen.document(width, height, ground, title);
}
