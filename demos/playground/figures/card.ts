/** Small figures that lead to a page: a living picture above the title of the page. */

import type { Palette } from "../draw/palette.ts";
import { type Pen, PlacedPen } from "../draw/pen.ts";
import { CanvasView } from "../ui/canvas.ts";
import { element } from "../ui/dom.ts";
import { addressIn } from "../ui/site.ts";
import type { Mount, Poster } from "./figure.ts";
import { inPage } from "./in-page.ts";

/** The size of a card's picture; it is shown as wide as its place is. */
export const CARD_WIDTH = 340;
export const CARD_HEIGHT = 184;
/** Of the title below. */
const FOOT = 40;

export interface Subject {
  /** The title of the page, and its path from the root of the site. */
  readonly title: string;
  readonly path: string;
}

/** Paints CARD_WIDTH × CARD_HEIGHT. */
type Painter = (pen: Pen, palette: Palette) => void;

const placed = (pen: Pen, width: number): Pen => new PlacedPen(pen, 0, 0, width / CARD_WIDTH);

export const cardPoster = ({ title }: Subject, paint: Painter): Poster => ({
  heightFor: (width) => Math.round((width / CARD_WIDTH) * (CARD_HEIGHT + FOOT)),
  paint(pen, width, _height, palette) {
    const own = placed(pen, width);
    paint(own, palette);
    own.text(0, CARD_HEIGHT + 26, `${title} →`, { color: palette.link, size: 15, bold: true });
  },
});

export class Card {
  private readonly view: CanvasView;
  private readonly foot: HTMLElement;

  /** `label` says what the picture shows. */
  constructor(host: HTMLElement, { title, path }: Subject, label: string, paint: Painter) {
    const picture = element("div", { class: "host" });
    this.view = new CanvasView(
      picture,
      {
        heightFor: (width) => Math.round((width / CARD_WIDTH) * CARD_HEIGHT),
        paint: (pen, width, _height, palette) => paint(placed(pen, width), palette),
      },
      label,
    );
    this.foot = element(
      "div",
      { class: "card-foot" },
      element("a", { class: "card-link", href: addressIn(path) }, `${title} →`),
    );
    host.append(picture, this.foot);
  }

  update(): void {
    this.view.update();
  }

  /** Puts a control beside the title. */
  append(control: HTMLElement): void {
    this.foot.append(control);
  }
}

/** A card that is its poster: its page alone loads what the figure computes with. */
export const stillCard =
  ({ path }: Subject): Mount =>
  async (host, { poster }) => {
    const picture = element("div", { class: "host" }, await inPage(poster));
    host.append(element("a", { class: "card-whole", href: addressIn(path) }, picture));
    return { play() {}, rest() {} };
  };
