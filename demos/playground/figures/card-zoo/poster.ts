import { cardPoster } from "../card.ts";
import { pictures, SUBJECT } from "./paint.ts";

const six = pictures();

export const poster = cardPoster(SUBJECT, (pen, palette) => six.paint(pen, 1, palette));
