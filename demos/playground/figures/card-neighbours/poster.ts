/** The fields of the figure's poster. */
import { PlacedPen } from "../../draw/pen.ts";
import { CARD_HEIGHT, CARD_WIDTH, cardPoster } from "../card.ts";
import { paintFields } from "../neighbours/paint.ts";
import { scene } from "../neighbours/poster.ts";
import { SUBJECT } from "./subject.ts";

const LEFT = (CARD_WIDTH - CARD_HEIGHT) / 2;

export const poster = cardPoster(SUBJECT, (pen, palette) =>
  paintFields(new PlacedPen(pen, LEFT, 0), scene, CARD_HEIGHT, palette),
);
