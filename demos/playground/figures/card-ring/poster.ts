/** The bump of the figure's poster. */
import { PlacedPen } from "../../draw/pen.ts";
import { CARD_HEIGHT, CARD_WIDTH, cardPoster } from "../card.ts";
import { paintRing } from "../ring/paint.ts";
import { play } from "../ring/poster.ts";
import { SUBJECT } from "./subject.ts";

const LEFT = (CARD_WIDTH - CARD_HEIGHT) / 2;

export const poster = cardPoster(SUBJECT, (pen, palette) =>
  paintRing(new PlacedPen(pen, LEFT, 0), play, CARD_HEIGHT, palette),
);
