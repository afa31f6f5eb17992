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

/** Times in ms and kinds of all spikes, in their order. */
export function spikesOf({ frequency, dt, pairs }: Pairing): { times: number[]; kinds: PlasticEvent[] } {
  const order = dt > 0 ? (["pre", "post"] as const) : (["post", "pre"] as const);
  const spikes = Array.from({ length: pairs }, (_, k) => {
    const first = (k * 1000) / frequency;
    return [
      [first, order[0]],
      [first + Math.abs(dt), order[1]],
    ] as const;
  })
    .flat()
    .sort(([a], [b]) => a - b);
  return { times: spikes.map(([t]) => t), kinds: spikes.map(([, kind]) => kind) };
}

/** The change of a weight without bounds, from 0 on. */
export function changeBy(rule: Rule, pairing: Pairing): number {
  const synapse = new Linear(1, 1, { bias: false });
  synapse.weight.copyFrom([0]);
  const { times, kinds } = spikesOf(pairing);
  new Plastic(synapse, rule).events(times, kinds);
  return synapse.weight.item();
}
