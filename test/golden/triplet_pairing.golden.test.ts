/** Pairings at several frequencies and intervals, and several synapses with trains of their own, by pairs and by triplets. */
import { Plastic, type PlasticEvent, type PlasticState, type Rule, TripletSTDP, tensor } from "jarvis-snn";
import { changeBy } from "../../demos/pairing/protocol.ts";
import { expectClose } from "../support/close.ts";
import { type GoldenTensor, numbersOf } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lookUp } from "./neurons.ts";
import { linearOf, transposed } from "./plasticity.ts";
import { rulesOf, type TripletParameters } from "./triplets.ts";

interface PairingGolden {
  readonly model: string;
  readonly dt: number;
  /** At each frequency. */
  readonly dw: GoldenTensor;
}

interface WindowGolden {
  readonly model: string;
  readonly frequency: number;
  readonly pairs: number;
  readonly dt: GoldenTensor;
  /** At each dt. */
  readonly dw: GoldenTensor;
}

interface MatrixGolden {
  readonly name: string;
  readonly params: TripletParameters;
  /** Spike times of each neuron. */
  readonly pre: readonly GoldenTensor[];
  readonly post: readonly GoldenTensor[];
  /** [pre, post]. */
  readonly w0: GoldenTensor;
  readonly w_at_500ms: GoldenTensor;
  readonly w_final: GoldenTensor;
}

interface Content {
  readonly models: Readonly<Record<string, TripletParameters>>;
  readonly frequencies: readonly number[];
  readonly pairs: number;
  readonly pairing: readonly PairingGolden[];
  readonly window: readonly WindowGolden[];
  readonly matrix: readonly MatrixGolden[];
}

type Entry = NamedEntry & {
  readonly pairing?: PairingGolden;
  readonly window?: WindowGolden;
  readonly matrix?: MatrixGolden;
};

/** Models that are presets. */
const PRESETS: Readonly<Record<string, () => Rule>> = {
  triplet_min_all: () => new TripletSTDP({ numerics: "visualAllMinimal" }),
  triplet_full_all: () => new TripletSTDP({ numerics: "visualAllFull" }),
  triplet_min_nearest: () => new TripletSTDP({ numerics: "visualNearestMinimal" }),
  triplet_full_nearest: () => new TripletSTDP({ numerics: "visualNearestFull" }),
};

/** The rules of a model: from its parameters, and by its preset. */
function rulesNamed(model: string, { models }: Content): Rule[] {
  const preset = Object.hasOwn(PRESETS, model) ? [lookUp("preset", PRESETS, model)()] : [];
  return [...rulesOf(lookUp("model", models, model)), ...preset];
}

function compareChanges(name: string, rule: Rule, dw: GoldenTensor, changes: readonly number[]): void {
  expectClose(`${name}, ${rule.name}`, tensor([...changes]), dw, { absolute: 0, relative: 1e-5 }, "states");
}

/** Spikes of several neurons on both sides in their order, those at the same time as one event. */
function spikesOf({ pre, post }: MatrixGolden): { times: number[]; kinds: PlasticEvent[] } {
  const at = new Map<number, { pre: number[]; post: number[] }>();
  for (const [side, trains] of [["pre", pre] as const, ["post", post] as const]) {
    for (const [neuron, train] of trains.entries()) {
      for (const t of numbersOf(train)) {
        const event = at.get(t) ?? { pre: [], post: [] };
        event[side].push(neuron);
        at.set(t, event);
      }
    }
  }
  const times = [...at.keys()].sort((a, b) => a - b);
  return { times, kinds: times.map((t) => at.get(t) as { pre: number[]; post: number[] }) };
}

function compareMatrix(name: string, matrix: MatrixGolden): void {
  const { times, kinds } = spikesOf(matrix);
  const half = times.filter((t) => t <= 500).length;
  for (const rule of rulesOf(matrix.params)) {
    const layer = linearOf(transposed(matrix.w0));
    const plastic = new Plastic(layer, rule);
    let state: PlasticState | undefined;
    const parts = [
      [0, half, matrix.w_at_500ms],
      [half, times.length, matrix.w_final],
    ] as const;
    for (const [from, to, expected] of parts) {
      state = plastic.events(times.slice(from, to), kinds.slice(from, to), state);
      const got = layer.weight.transpose(0, 1);
      expectClose(`${name}, ${rule.name}`, got, expected, { absolute: 0, relative: 1e-5 }, "states");
    }
  }
}

goldenSuite<Content, Entry>({
  file: "plasticity/triplet_pairing",
  entries: ({ pairing, window, matrix }) => [
    ...pairing.map((entry) => ({ name: `pairing: ${entry.model}, dt ${entry.dt}`, pairing: entry })),
    ...window.map((entry) => ({ name: `window: ${entry.model}`, window: entry })),
    ...matrix.map((entry) => ({ name: `matrix: ${entry.name}`, matrix: entry })),
  ],
  reads: ["models", "frequencies", "pairs", "pairing", "window", "matrix"],
  leftOut: {},
  run({ name, pairing, window, matrix }, content) {
    const { frequencies, pairs } = content;
    if (pairing !== undefined) {
      for (const rule of rulesNamed(pairing.model, content)) {
        const changes = frequencies.map((frequency) => changeBy(rule, { frequency, dt: pairing.dt, pairs }));
        compareChanges(name, rule, pairing.dw, changes);
      }
    }
    if (window !== undefined) {
      for (const rule of rulesNamed(window.model, content)) {
        const changes = numbersOf(window.dt).map((dt) => changeBy(rule, { ...window, dt }));
        compareChanges(name, rule, window.dw, changes);
      }
    }
    if (matrix !== undefined) compareMatrix(name, matrix);
  },
});
