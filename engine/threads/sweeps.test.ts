/** Sweeps of compiled steps that threads share: gradients of learned parameters, and rules for synapses. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Linear,
  type Module,
  manualSeed,
  mseLoss,
  rand,
  randn,
  Sequential,
  type Tensor,
  tape,
} from "../../engine/index.ts";
import {
  AdaptiveLIF,
  BCM,
  EProp,
  ExponentialIF,
  Hebbian,
  LeakyIntegrator,
  LIF,
  Oja,
  OTTT,
  Plastic,
  Recurrent,
  RewardSTDP,
  type Rule,
  STDP,
  Synaptic,
  TripletSTDP,
} from "../../snn/index.ts";
import { ALL } from "../../test/support/threads.ts";
import { start } from "./start.ts";

/** The bits of a tensor as a short text. */
const bitsOf = (t: Tensor | null | undefined): string =>
  t ? createHash("sha256").update(t.toFloat32Array()).digest("base64") : "";

const scalars = { learn: ["beta", "threshold"] as const };
const columns = (n: number) => ({ beta: rand([n]).mul(0.9), learn: ["beta"] as const });

/** Layers of n neurons, rows and steps; more than 65 536 neurons run two steps at a time over pieces. */
const LAYERS = [
  ["scalars", () => new AdaptiveLIF(scalars), 5, 33, 160],
  ["scalars, rows that end within a word", () => new AdaptiveLIF(scalars), 4, 77, 99],
  ["scalars, exponentials apart", () => new ExponentialIF({ learn: ["tau", "sharpness"] }), 3, 40, 160],
  ["scalars of many neurons", () => new Synaptic({ learn: ["alpha", "beta"] }), 5, 70, 1000],
  [
    "scalars of many neurons, and a β for each",
    () => new AdaptiveLIF({ beta: rand([700]), learn: ["rho"] }),
    4,
    97,
    700,
  ],
  ["a β for each", () => new Synaptic(columns(230)), 5, 33, 230],
  ["a β for each of few", () => new Synaptic(columns(20)), 5, 33, 20],
  ["a β for each of many neurons", () => new AdaptiveLIF(columns(900)), 5, 75, 900],
  ["a β for each, narrow rows of many", () => new AdaptiveLIF(columns(400)), 3, 170, 400],
  ["a β for each, and a scalar", () => new Synaptic({ beta: rand([230]), learn: ["alpha", "beta"] }), 5, 33, 230],
  ["no sums, rows that end within a word", () => new AdaptiveLIF(), 4, 37, 99],
] as const;

/** Gradients of the input and of all parameters. */
function gradients(make: () => Module & { forward(x: Tensor): Tensor }, T: number, rows: number, n: number): string[] {
  manualSeed(3);
  const layer = make();
  const current = randn([T, rows, n], { requiresGrad: true });
  const weights = randn([T, rows, n]);
  tape(() => layer.forward(current).mul(weights).sum().backward());
  return [current, ...layer.parameters()].map((t) => bitsOf(t.grad));
}

const RULES = [
  ["STDP", () => new STDP({ aPlus: 0.05 })],
  ["STDP of all pairs, with rates", () => new STDP({ dependence: "power", muPlus: 0.3, muMinus: 0.6 })],
  ["TripletSTDP", () => new TripletSTDP()],
  ["RewardSTDP", () => new RewardSTDP({ eta: 1 })],
  ["Hebbian", () => new Hebbian()],
  ["Oja", () => new Oja()],
  ["BCM", () => new BCM()],
] as const;

/** Weights and states of synapses after some steps. */
function learned(rule: Rule): string[] {
  manualSeed(4);
  const [inputs, outputs, batch] = [90, 70, 2];
  const layer = new Linear(inputs, outputs, { bias: false });
  layer.weight.copyFrom(rand([outputs, inputs]));
  const plastic = new Plastic(layer, rule, { bounds: [0, 1], normalize: { sum: 30, every: 4 } });
  let state = plastic.initialState(batch);
  for (let t = 0; t < 12; t++) {
    const [pre, post] = [rand([batch, inputs]).lt(0.1 + 0.02 * t), rand([batch, outputs]).lt(0.2)];
    state = plastic.step(pre, post, state, rule instanceof RewardSTDP ? { reward: 0.5 } : {});
  }
  return [layer.weight, ...Object.values(state.synapses)].map(bitsOf);
}

/** Gradients of rules that learn in each time step, after some. */
function online(
  neurons: (n: number) => Module,
  make: (model: Sequential) => { step(x: Tensor, y: Tensor | null, state?: never): { state: unknown } },
) {
  manualSeed(5);
  const [inputs, hidden, batch] = [70, 90, 3];
  const model = new Sequential(
    new Linear(inputs, hidden),
    neurons(hidden),
    new Linear(hidden, 4),
    new LeakyIntegrator(),
  );
  const rule = make(model);
  let state: unknown;
  for (let t = 0; t < 6; t++) state = rule.step(rand([batch, inputs]), randn([batch, 4]), state as never).state;
  return model.parameters().map((p) => bitsOf(p.grad));
}

const loss = (z: Tensor, y: Tensor): Tensor => mseLoss(z, y);

const RUNS: readonly (readonly [name: string, run: () => string[]])[] = [
  ...LAYERS.map(([name, make, T, rows, n]) => [`gradients of ${name}`, () => gradients(make, T, rows, n)] as const),
  ...RULES.map(([name, make]) => [`weights of ${name}`, () => learned(make())] as const),
  [
    "gradients of e-prop",
    () =>
      online(
        (features) => new Recurrent(new AdaptiveLIF(), { features }),
        (model) => new EProp<Tensor>(model, { loss }),
      ),
  ],
  [
    "gradients of OTTT",
    () =>
      online(
        () => new LIF(),
        (model) => new OTTT<Tensor>(model, { loss }),
      ),
  ],
];

const alone = new Map<string, string[]>();
beforeAll(() => {
  for (const [name, run] of RUNS) alone.set(name, run());
});
afterAll(() => start(1));

describe.each([2, 3, 7])("threads: with %i", (count) => {
  beforeAll(() => start(count, ALL));

  test.each(RUNS)("%s have the bits of one thread", (name, run) => {
    expect(run()).toEqual(alone.get(name));
  });
});
