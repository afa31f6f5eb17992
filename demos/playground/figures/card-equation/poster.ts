import { cardPoster } from "../card.ts";
import { type Trace, traces, VALUES } from "./model.ts";
import { paintEquation, SUBJECT } from "./paint.ts";

const bursting = traces()[VALUES - 1] as Trace;

export const poster = cardPoster(SUBJECT, (pen, palette) => paintEquation(pen, bursting, palette));
