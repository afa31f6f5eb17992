/** Pair and triplet STDP at spike times in ms, with every weight and every trace after each spike; times without fractions by steps too. */
import { Linear, Plastic, type PlasticEvent, type PlasticOptions, type Rule, type Tensor, tensor } from "jarvis-snn";
import { expectClose } from "../support/close.ts";
import { type GoldenTensor, numbersOf } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { type Bounds, rulesOf, type TripletParameters } from "./triplets.ts";

interface Events extends NamedEntry {
  readonly params: TripletParameters;
  readonly bounds: Bounds | null;
  readonly w0: number;
  readonly pre: GoldenTensor;
  readonly post: GoldenTensor;
  /** After each event; r2 and o2 where they have a time constant. */
  readonly events: {
    readonly t: GoldenTensor;
    readonly kind: readonly ("pre" | "post" | "both")[];
    readonly dw: GoldenTensor;
    readonly w: GoldenTensor;
    readonly r1: GoldenTensor;
    readonly o1: GoldenTensor;
    readonly r2?: GoldenTensor;
    readonly o2?: GoldenTensor;
  };
  readonly w_final: number;
}

interface Ties extends NamedEntry {
  readonly params: TripletParameters;
  readonly w0: number;
  readonly pre: GoldenTensor;
  readonly post: GoldenTensor;
  readonly w_final: Readonly<Record<"simultaneous" | "pre-first" | "post-first", number>>;
}

interface Content {
  readonly entries: readonly Events[];
  readonly ties: readonly Ties[];
}

const RELATIVE = { absolute: 0, relative: 1e-5 };

/** A synapse of this weight. */
function synapseOf(rule: Rule, w0: number, bounds: Bounds | null): { plastic: Plastic; weight: Tensor } {
  const layer = new Linear(1, 1, { bias: false });
  layer.weight.copyFrom([w0]);
  const options: PlasticOptions = bounds === null ? {} : { bounds: [bounds.wmin, bounds.wmax] };
  return { plastic: new Plastic(layer, rule, options), weight: layer.weight };
}

/** Spikes of both sides in their order, those at the same time as one event. */
function merged(pre: GoldenTensor, post: GoldenTensor): { times: number[]; kinds: ("pre" | "post" | "both")[] } {
  const [before, behind] = [new Set(numbersOf(pre)), new Set(numbersOf(post))];
  const times = [...new Set([...before, ...behind])].sort((a, b) => a - b);
  return { times, kinds: times.map((t) => (before.has(t) ? (behind.has(t) ? "both" : "pre") : "post")) };
}

/** The names of the traces in the rule of pairs. */
const OF_PAIRS: Readonly<Record<string, string>> = { r1: "x", o1: "y" };

function compareEvents(name: string, rule: Rule, { w0, bounds, events }: Events): void {
  const { t, kind, dw, ...columns } = events;
  const got: Record<string, number[]> = Object.fromEntries(Object.keys(columns).map((column) => [column, []]));
  const { plastic, weight } = synapseOf(rule, w0, bounds);
  // From 0 on each change stands alone, without the rounding of a sum. That of hard bounds is the one before these.
  const isAdditive = bounds?.kind !== "soft";
  const alone = synapseOf(rule, 0, isAdditive ? null : bounds);
  const changes: number[] = [];
  let [state, other] = [plastic.initialState(1), alone.plastic.initialState(1)];
  for (const [i, time] of numbersOf(t).entries()) {
    const event: PlasticEvent = kind[i] as "pre" | "post";
    const before = weight.item();
    state = plastic.events([time], [event], state);
    if (isAdditive) {
      alone.weight.copyFrom([0]);
      other = alone.plastic.events([time], [event], other);
    }
    changes.push(isAdditive ? alone.weight.item() : weight.item() - before);
    for (const column of Object.keys(columns)) {
      const trace = state.traces[column] ?? state.traces[OF_PAIRS[column] ?? ""];
      got[column]?.push(column === "w" ? weight.item() : (trace as Tensor).item());
    }
  }
  // Two roundings of w are in a change that is a difference.
  const tolerance = isAdditive ? RELATIVE : { absolute: 2e-7, relative: 1e-5 };
  expectClose(`${name}: dw`, tensor(changes), dw, tolerance, "states");
  for (const [column, values] of Object.entries(got)) {
    expectClose(`${name}: ${column}`, tensor(values), columns[column as "w"], RELATIVE, "states");
  }
}

/** The weight behind all events, in one call. */
function finalByEvents(rule: Rule, { w0, pre, post, bounds }: Ties & { readonly bounds: Bounds | null }): number {
  const { plastic, weight } = synapseOf(rule, w0, bounds);
  const { times, kinds } = merged(pre, post);
  plastic.events(times, kinds);
  return weight.item();
}

/** The weight behind steps of 1 ms. */
function finalBySteps(rule: Rule, { w0, pre, post, bounds }: Ties & { readonly bounds: Bounds | null }): number {
  const { plastic, weight } = synapseOf(rule, w0, bounds);
  const [before, behind] = [numbersOf(pre), numbersOf(post)];
  const spike = (times: readonly number[], t: number) => tensor([[times.includes(t) ? 1 : 0]]);
  let state = plastic.initialState(1);
  for (let t = 0; t <= Math.max(...before, ...behind); t++) {
    state = plastic.step(spike(before, t), spike(behind, t), state);
  }
  return weight.item();
}

const isWhole = (times: GoldenTensor): boolean => numbersOf(times).every(Number.isInteger);

function compareFinal(name: string, rule: Rule, entry: Omit<Ties, "w_final"> & { bounds: Bounds | null }, w: number) {
  const given = entry as Ties & { bounds: Bounds | null };
  expectClose(`${name}: by events`, finalByEvents(rule, given), w, RELATIVE, "states");
  if (!isWhole(entry.pre) || !isWhole(entry.post)) return;
  expectClose(`${name}: by steps`, finalBySteps(rule, given), w, RELATIVE, "states");
}

const ORDERS = { simultaneous: "before", "pre-first": "preFirst", "post-first": "postFirst" } as const;

goldenSuite<Content, NamedEntry & { readonly events?: Events; readonly ties?: Ties }>({
  file: "plasticity/triplet_events",
  entries: ({ entries, ties }) => [
    ...entries.map((events) => ({ name: events.name, events })),
    ...ties.map((entry) => ({ name: entry.name, ties: entry })),
  ],
  reads: ["entries", "ties"],
  leftOut: {},
  run({ events, ties }) {
    for (const rule of events === undefined ? [] : rulesOf(events.params, events.bounds)) {
      const name = `${events?.name}, ${rule.name}`;
      compareEvents(name, rule, events as Events);
      compareFinal(name, rule, events as Events, (events as Events).w_final);
    }
    for (const [convention, w] of Object.entries(ties?.w_final ?? {})) {
      const { name, params } = ties as Ties;
      for (const rule of rulesOf(params, null, ORDERS[convention as keyof typeof ORDERS])) {
        compareFinal(`${name}, ${rule.name}, ${convention}`, rule, { ...(ties as Ties), bounds: null }, w);
      }
    }
  },
});
