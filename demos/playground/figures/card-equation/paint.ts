import type { Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { CARD_HEIGHT, CARD_WIDTH, type Subject } from "../card.ts";
import { outline } from "../zoo/paint.ts";
import type { Trace } from "./model.ts";

export const SUBJECT: Subject = { title: "A neuron is a few equations", path: "equation/" };

/** Where the trace lies. */
const TOP = 92;
const LOW = -80;
const HIGH = 30;

/** The equations, the parameter that drifts, and what the neuron does with it. */
export function paintEquation(pen: Pen, { c, membrane, spikes }: Trace, palette: Palette): void {
  const dull = { color: palette.ink, size: 14 };
  pen.text(0, 16, "v′ = 0.04v² + 5v + 140 − u + I", dull);
  pen.text(0, 37, "u′ = a·(b·v − u)", dull);
  pen.text(0, 58, "at a spike  v ← c,  u ← u + d", dull);
  pen.text(CARD_WIDTH, 58, `c = ${c.toFixed(1).replace("-", "−")}`, {
    color: palette.ink,
    size: 18,
    bold: true,
    align: "right",
  });
  const height = CARD_HEIGHT - TOP - 6;
  const box = { left: 0, top: TOP, width: CARD_WIDTH, height };
  pen.line(outline(membrane, LOW, HIGH, box), { color: palette.membrane, width: 1.5 });
  const ticks = spikes.flatMap((t) => [((t + 0.5) / membrane.length) * CARD_WIDTH - 0.75, TOP - 16, 1.5, 9]);
  pen.boxes(ticks, palette.ink, true);
}
