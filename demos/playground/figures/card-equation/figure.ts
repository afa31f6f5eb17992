/** An equation, one parameter of which drifts to and fro. */
import { button } from "../../ui/dom.ts";
import { Sweep } from "../../ui/sweep.ts";
import { Card } from "../card.ts";
import type { Mount } from "../figure.ts";
import { type Trace, traces, VALUES } from "./model.ts";
import { paintEquation, SUBJECT } from "./paint.ts";

/** Seconds of the way there and back. */
const SECONDS = 12;
/** A press moves the parameter by so much of its way. */
const PRESS = 1 / 8;

export const mount: Mount = (host, { still }) => {
  const all = traces();
  const indexAt = (share: number): number => Math.round((1 - Math.abs(1 - 2 * share)) * (VALUES - 1));
  let shown = -1;
  const card = new Card(
    host,
    SUBJECT,
    "The membrane and the spikes of an equation while its parameter c drifts",
    (pen, palette) => paintEquation(pen, all[Math.max(0, shown)] as Trace, palette),
  );
  const show = (share: number): void => {
    const index = indexAt(share);
    if (index === shown) return;
    shown = index;
    card.update();
  };
  const sweep = new Sweep(SECONDS, still, () => show(sweep.share));
  show(sweep.share);
  if (still) card.append(button("Next c", () => sweep.hold((sweep.share + PRESS) % 1)));
  return sweep;
};
