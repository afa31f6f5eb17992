import type { Subject } from "../card.ts";

export const SUBJECT: Subject = { title: "Nobody tells it what a seven is", path: "neighbours/" };
