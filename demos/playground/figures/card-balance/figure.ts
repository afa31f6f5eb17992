import { stillCard } from "../card.ts";
import { SUBJECT } from "./subject.ts";

export const mount = stillCard(SUBJECT);
