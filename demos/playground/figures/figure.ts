/**
 * What a figure is. Each has a folder here, whose name is its name: `poster.ts` exports its `poster`, which the build draws, and `figure.ts`
 * its `mount`, which a page loads when the figure comes near. Both draw by the same painters. A document shows a figure by an image,
 * `![what it shows](figures/NAME.svg)`, whose file is the poster: `npm run charts` writes it for readers of the plain document.
 */

import type { Moving } from "../draw/moving.ts";
import type { Palette } from "../draw/palette.ts";
import type { Pen } from "../draw/pen.ts";

/** The still picture of a figure, which stands in its place until it lives, and where it never does. */
export interface Poster {
  /** Height of the picture for a width: 720 pixels beside a desktop's text, 358 on a phone. */
  heightFor(width: number): number;
  paint(pen: Pen, width: number, height: number, palette: Palette): void;
}

/** A figure on a page. All calls may come again and again. */
export interface Living {
  /** The figure is seen: time may pass in it. */
  play(): void;
  /** The figure is out of sight: nothing is computed until it plays. */
  rest(): void;
  /** The settings of the reader as a query, with which the figure can be mounted again; "" if nothing was changed. */
  state?(): string;
  /** A sentence that names visible things which the state does not hold; null if the state holds all. */
  lost?(): string | null;
  /** The hash of what the figure has computed, and the command that computes it in Node; null while there is nothing to compare. */
  inNode?(): string | null;
  /** Resolves when the figure has computed the state with which it was mounted; absent if `mount` computes it. */
  readonly settled?: Promise<unknown>;
  /** The part of the figure that pictures show; absent if they show all of it. */
  readonly picture?: HTMLElement;
  /** Begins a movement and returns its seconds, 4 to 8, or returns a moving picture. Absent while nothing moves. */
  readonly film?: (() => number | Moving) | undefined;
}

export interface MountOptions {
  /** The still picture in whose place the figure comes; a figure that begins at a press keeps it until then. */
  readonly poster: Element;
  /** The reader wants no motion: nothing moves, and nothing learns, but at a press or as the state says. */
  readonly still: boolean;
  /** The state of a link, as `state` of the figure gave it; "" without one. It may come from anyone. */
  readonly state: string;
}

/** Puts the living figure into `host`, in place of its poster. What throws is told beside the poster, which stays. */
export type Mount = (host: HTMLElement, options: MountOptions) => Living | Promise<Living>;
