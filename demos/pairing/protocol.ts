/** Pairings of a spike before a synapse and a spike behind it, again and again: what a rule makes of the weight. */
import { Linear, Plastic, type PlasticEvent, type Rule } from "jarvis-snn";

/** A protocol. */
export interface Pairing {
  /** Pairings in a second. */
  readonly frequency: number;
  /** From the spike before to the spike behind, in ms; negative where the latter comes first. */
  readonly dt: number;
  readonly pairs: number;
}

/** Times in ms and kinds of all spikes, in their order. The k-th one is late by the k-th of these times, if there are any. */
export function spikesOf(
  { frequency, dt, pairs }: Pairing,
  late: ArrayLike<number> = [],
): { times: number[]; kinds: PlasticEvent[] } {
  const order = dt > 0 ? (["pre", "post"] as const) : (["post", "pre"] as const);
  const spikes = Array.from({ length: 2 * pairs }, (_, k) => {
    const [pair, place] = [Math.floor(k / 2), k % 2];
    const time = (pair * 1000) / frequency + place * Math.abs(dt) + (late[k] ?? 0);
    return [time, order[place] as "pre" | "post"] as const;
  }).sort(([a], [b]) => a - b);
  // The first one is at 0 or later.
  const start = Math.min(0, spikes[0]?.[0] ?? 0);
  return { times: spikes.map(([t]) => t - start), kinds: spikes.map(([, kind]) => kind) };
}

/** The change of a weight without bounds, from 0 on. */
export function changeBy(rule: Rule, pairing: Pairing, late?: ArrayLike<number>): number {
  const synapse = new Linear(1, 1, { bias: false });
  synapse.weight.copyFrom([0]);
  const { times, kinds } = spikesOf(pairing, late);
  new Plastic(synapse, rule).events(times, kinds);
  return synapse.weight.item();
}
