import { CARD_WIDTH, type Subject } from "../card.ts";
import { izhikevichFamily } from "../zoo/model.ts";
import { CARD, Grid, Pictures } from "../zoo/paint.ts";

export const SUBJECT: Subject = { title: "Twenty-eight ways to fire", path: "zoo/" };

/** Six patterns, each under the current of its paper. */
export function pictures(): Pictures {
  const family = izhikevichFamily([
    "tonicSpiking",
    "tonicBursting",
    "mixedMode",
    "spikeFrequencyAdaptation",
    "class1Excitability",
    "inhibitionInducedBursting",
  ]);
  return new Pictures(family, family.run(null), new Grid(family.patterns.length, 3, CARD_WIDTH, CARD));
}
