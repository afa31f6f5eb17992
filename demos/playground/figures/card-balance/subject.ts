import type { Subject } from "../card.ts";

export const SUBJECT: Subject = { title: "A pole that learns to stand", path: "balance/" };
