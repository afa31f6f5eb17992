import type { Subject } from "../card.ts";

export const SUBJECT: Subject = { title: "Memory that you can touch", path: "ring/" };
