/** Connections that learn by rules. */
import {
  BCM,
  Conv1d,
  type Generator,
  Hebbian,
  LIF,
  Linear,
  Module,
  noGrad,
  Oja,
  Plastic,
  PlasticLayer,
  type PlasticOptions,
  type PlasticState,
  RewardSTDP,
  type Rule,
  rand,
  Sequential,
  type Shape,
  STDP,
  type Tensor,
  TripletSTDP,
  tensor,
} from "jarvis-snn";
import { BATCH, type Cases, FEATURES, NEURONS, STEPS } from "./cases.ts";

/** 1 where x is below 0.4, spikes for the rules, in a shape of one step. */
class Spikes extends Module {
  private readonly shape: Shape;

  constructor(shape: Shape = [FEATURES]) {
    super();
    this.shape = shape;
  }

  forward(x: Tensor): Tensor {
    return x.lt(0.4).reshape([STEPS, BATCH, ...this.shape]);
  }
}

/** A connection that learns by a rule as spikes pass, and a product of its spikes that learns by its gradient. */
const plastic =
  (rule: () => Rule, options: PlasticOptions = { bounds: [0, 1] }, reward?: number) =>
  (generator: Generator): Module => {
    const connection = positive(new Linear(FEATURES, NEURONS, { bias: false, generator }), generator);
    const layer = new PlasticLayer(new Plastic(connection, rule(), options), new LIF({ threshold: 0.8 }));
    layer.reward = reward;
    return new Sequential(new Spikes(), layer, new Linear(NEURONS, 3, { generator }));
  };

/** The connection with weights in [0.1, 0.9). */
function positive<Layer extends Linear | Conv1d>(connection: Layer, generator: Generator): Layer {
  const { weight } = connection;
  noGrad(() => weight.copyFrom(rand(weight.shape, { generator }).mul(0.8).add(0.1)));
  return connection;
}

export const PLASTIC: Cases = {
  STDP: plastic(() => new STDP()),
  "STDP of powers": plastic(() => new STDP({ dependence: "power", muPlus: 0.4, order: "after" }), {
    bounds: [0, 1],
    normalize: { sum: 2, every: 5 },
    weightDecay: 1e-3,
    reduction: "mean",
  }),
  "STDP of a convolution": (generator) => {
    const connection = positive(new Conv1d(1, 3, 2, { bias: false, generator }), generator);
    const layer = new PlasticLayer(new Plastic(connection, new STDP(), { bounds: [0, 1] }), new LIF());
    return new Sequential(new Spikes([1, FEATURES]), layer, new Linear(3, 2, { generator }));
  },
  TripletSTDP: plastic(() => new TripletSTDP({ numerics: "hippocampusAllFull" })),
  RewardSTDP: plastic(() => new RewardSTDP({ tauE: 15, aPlus: 0.02, aMinus: 0.01 }), { bounds: [0, 1] }, 0.5),
  Hebbian: plastic(() => new Hebbian()),
  "Hebbian of rates": plastic(() => new Hebbian({ activity: "rates" }), { normalize: 1.5 }),
  Oja: plastic(() => new Oja()),
  "Oja of subspaces": plastic(() => new Oja({ variant: "sanger" }), { reduction: "mean" }),
  BCM: plastic(() => new BCM({ tau: 10, eta: 0.01 })),
};

/** Rules of connections outside of layers: a run steps them itself and saves their states. */
const RULES: Readonly<Record<string, () => Rule>> = {
  STDP: () => new STDP(),
  TripletSTDP: () => new TripletSTDP({ numerics: "visualAllFull" }),
  RewardSTDP: () => new RewardSTDP({ tauE: 20 }),
  Hebbian: () => new Hebbian(),
  BCM: () => new BCM(),
};

export const CONNECTIONS: Cases = Object.fromEntries(
  Object.keys(RULES).map((name) => [
    name,
    (generator) => positive(new Linear(FEATURES, NEURONS, { generator }), generator),
  ]),
);

/** A part of a run with a step after each epoch, and a state. */
export interface Stepping {
  step(metric: number): void;
  stateDict(): unknown;
  loadStateDict(state: never): void;
}

/** The states of connections that learn by rules, which make three steps after each epoch. */
export class PlasticStates implements Stepping {
  readonly plastic: Readonly<Record<string, Plastic>>;
  private states: Record<string, PlasticState>;
  private steps = 0;

  constructor(connections: Readonly<Record<string, Module>>) {
    const made = Object.entries(RULES).map(([name, rule]): [string, Plastic] => {
      return [name, new Plastic(connections[name] as Linear, rule(), { bounds: [0, 1] })];
    });
    this.plastic = Object.fromEntries(made);
    this.states = Object.fromEntries(made.map(([name, plastic]) => [name, plastic.initialState(BATCH)]));
  }

  step(): void {
    for (const end = this.steps + 3; this.steps < end; this.steps++) {
      const [pre, post] = [FEATURES, NEURONS].map((n) => {
        return tensor(
          Array.from({ length: BATCH * n }, (_, i) => ((7 * i + 5 * this.steps) % 11 < 4 ? 1 : 0)),
          { shape: [BATCH, n] },
        );
      }) as [Tensor, Tensor];
      for (const [name, plastic] of Object.entries(this.plastic)) {
        const options = name === "RewardSTDP" ? { reward: [0.5, -0.25, 1] } : {};
        this.states[name] = plastic.step(pre, post, this.states[name] as PlasticState, options);
      }
      pre.dispose();
      post.dispose();
    }
  }

  stateDict(): unknown {
    const arrays = (tensors: Readonly<Record<string, Tensor>>) =>
      Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, t.toFloat32Array()]));
    const states = Object.entries(this.states).map(([name, { traces, synapses, scales, time }]) => {
      return [name, { traces: arrays(traces), synapses: arrays(synapses), scales: { ...scales }, time }];
    });
    return { steps: this.steps, states: Object.fromEntries(states) };
  }

  loadStateDict(state: { steps: number; states: Record<string, Saved> }): void {
    this.steps = state.steps;
    for (const [name, saved] of Object.entries(state.states)) {
      const own = this.states[name] as PlasticState;
      for (const part of ["traces", "synapses"] as const) {
        for (const [key, t] of Object.entries(own[part])) t.copyFrom(saved[part][key] as Float32Array);
      }
      this.states[name] = { ...own, scales: saved.scales, time: saved.time };
    }
  }
}

/** The state of a connection in a file. */
interface Saved {
  readonly traces: Readonly<Record<string, Float32Array>>;
  readonly synapses: Readonly<Record<string, Float32Array>>;
  readonly scales: Readonly<Record<string, number>>;
  readonly time: number;
}
