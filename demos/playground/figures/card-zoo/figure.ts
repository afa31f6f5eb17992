/** Six neurons that fire in six ways. */

import { Sweep } from "../../ui/sweep.ts";
import { Card } from "../card.ts";
import type { Mount } from "../figure.ts";
import { pictures, SUBJECT } from "./paint.ts";

/** Seconds of a sweep. */
const SECONDS = 6;

export const mount: Mount = (host, { still }) => {
  const six = pictures();
  const card = new Card(host, SUBJECT, "Membranes, spikes and currents of six neurons", (pen, palette) =>
    six.paint(pen, sweep.share, palette),
  );
  const sweep = new Sweep(SECONDS, still, () => card.update());
  return sweep;
};
