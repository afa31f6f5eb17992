/** The large pole of the figure's poster. */
import { PlacedPen } from "../../draw/pen.ts";
import { paintStage, stageHeight } from "../balance/paint.ts";
import { scene } from "../balance/poster.ts";
import { CARD_HEIGHT, CARD_WIDTH, cardPoster } from "../card.ts";
import { SUBJECT } from "./subject.ts";

const TOP = CARD_HEIGHT - stageHeight(CARD_WIDTH);

export const poster = cardPoster(SUBJECT, (pen, palette) =>
  paintStage(new PlacedPen(pen, 0, TOP), scene, CARD_WIDTH, palette),
);
