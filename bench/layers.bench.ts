/**
 * Small layers, where everything but arithmetic costs: four neurons for 25 steps, one after the other and in one call; a small network
 * in a stream; a neuron by calls of `unroll` for one step each. A build that lacks a class or an option lacks the rows of it alone.
 *
 * The rows of targets.ts are the median of all neurons, and the slowest of them; the costs of an op in the same process stand beside them.
 */
import * as snn from "jarvis-snn";
import {
  full,
  LeakyIntegrator,
  LIF,
  type LIFOptions,
  Linear,
  type Module,
  noGrad,
  parameter,
  RecurrentLIF,
  rand,
  Stream,
  stack,
  type Tensor,
  tape,
  warmup,
  zeros,
} from "jarvis-snn";
import { overhead } from "./support/chain.ts";
import { interleave, median, steps, WARM_UP } from "./support/interleave.ts";
import { type Measured, report } from "./support/report.ts";
import { type Run, serve, whole } from "./support/serve.ts";

const [T, B, N] = [25, 1, 4];

interface Layer extends Module {
  step(current: Tensor, state: unknown): [output: Tensor, state: unknown];
  initialState(shape: readonly number[]): unknown;
}

/** The classes of neurons, and the packages whose options each knows. */
const NEURONS: Readonly<Record<string, readonly string[]>> = {
  LIF: ["snntorch", "norse", "spikingjelly", "nir", "bindsnet"],
  LeakyIntegrator: ["norse", "spikingjelly", "nir"],
  IF: ["norse", "spikingjelly", "nir", "snntorch", "bindsnet"],
  ParametricLIF: ["spikingjelly"],
  Lapicque: ["snntorch"],
  Synaptic: ["snntorch", "norse", "spikingjelly", "nir", "bindsnet"],
  SynapticIntegrator: ["norse", "nir"],
  Alpha: ["snntorch"],
  KLIF: ["spikingjelly"],
  AdaptiveLIF: ["norse", "bindsnet"],
  AdLIF: [],
  ConductanceLIF: ["norse"],
  ExponentialIF: ["spikingjelly", "norse"],
  QuadraticIF: ["spikingjelly"],
  AdEx: ["norse"],
  Izhikevich: ["norse", "spikingjelly"],
  ResonateAndFire: [],
  TsodyksMarkram: ["norse"],
};

/** Readouts have no refractory steps. */
const NOT_REFRACTORY: readonly string[] = ["LeakyIntegrator", "SynapticIntegrator", "TsodyksMarkram"];

type Make = () => Layer;

/** Neurons: each class with its defaults, with the options of each package, and with refractory steps. */
const NEURON_LAYERS: Readonly<Record<string, Make>> = Object.fromEntries(
  Object.entries(NEURONS).flatMap(([name, packages]) => {
    const Class = (snn as unknown as Record<string, new (options: object) => Layer>)[name];
    // A build without the class throws here when the row is made.
    const made = (options: object) => () => new (Class as new (options: object) => Layer)(options);
    return [
      [name, made({})],
      ...packages.map((numerics) => [`${name} ${numerics}`, made({ numerics })] as const),
      ...(NOT_REFRACTORY.includes(name) ? [] : [[`${name} refractory`, made({ refractorySteps: 2 })] as const]),
    ] as const;
  }),
);

/** Layers with products of their own. */
const PRODUCTS: Readonly<Record<string, Make>> = {
  RecurrentLIF: () => new RecurrentLIF({ features: N }),
  SpikingLSTM: () => new snn.SpikingLSTM(N, N),
  "PSN sliding": () => new snn.PSN({ kind: "sliding", order: 4 }),
};

const currents = (): Tensor => rand([T, B, N]).mul(2);

/** All steps, one after the other; what they leave behind goes at the end. */
const single = (make: Make): Run =>
  whole(() => {
    const [layer, frames] = [make(), currents().unbind(0)];
    return () =>
      noGrad(() => {
        let state = layer.initialState([B, N]);
        for (const x of frames) [, state] = layer.step(x, state);
      });
  });

const forward = (make: Make): Run =>
  whole(() => {
    const [layer, x] = [make(), currents()];
    return () => noGrad(() => void layer.forward(x));
  });

const backward = (make: Make): Run =>
  whole(() => {
    const [layer, x] = [make(), parameter(currents())];
    const leaves = [x, ...layer.parameters()];
    return () => {
      for (const leaf of leaves) leaf.zeroGrad();
      tape(() => layer.forward(x).sum().backward());
    };
  });

const stream = (): Run =>
  whole(() => {
    const network = new Stream([new Linear(8, 16), new LIF(), new Linear(16, 3), new LeakyIntegrator()], [B, 8]);
    const frames = Array.from({ length: T }, () => rand([8]).toFloat32Array());
    return () => {
      for (const frame of frames) network.step(frame);
    };
  });

/** Steps of one neuron that are to be seen anew in each frame of a page, while a control is dragged. */
const SHOWN = 700;
const neuron: LIFOptions = { beta: 0.95, inputScale: 0.05 };

const unrolls = (): Run =>
  whole(() => {
    const [lif, current] = [new LIF(neuron), full([SHOWN, 1], 1.5)];
    return () =>
      noGrad(() => {
        let state = lif.initialState([1]);
        for (const x of current.unbind(0)) state = lif.unroll(x.unsqueeze(0), state).state;
      });
  });

/** The same, with a current that each spike raises and that is taken off the input, a refractory period, and the membrane of all steps. */
const adapting = (): Run =>
  whole(() => {
    const [lif, current] = [new LIF({ ...neuron, refractorySteps: 2 }), full([SHOWN, 1], 1.5)];
    return () =>
      noGrad(() => {
        let state = lif.initialState([1]);
        let a = zeros([1]);
        const membranes = current.unbind(0).map((x) => {
          const { spikes, membrane, state: next } = lif.unroll(x.sub(a).unsqueeze(0), state);
          a = a.mul(0.99).add(spikes.select(0, 0).mul(0.1));
          state = next;
          return membrane.select(0, 0);
        });
        return stack(membranes).toFloat32Array();
      });
  });

/** The ways to run a layer, by the ends of the names of rows. */
const WAYS = { steps: single, forward, "forward and backward": backward };
type Way = keyof typeof WAYS;

const rowsOf = (layers: Readonly<Record<string, Make>>) =>
  Object.entries(layers).flatMap(([name, make]) =>
    Object.entries(WAYS).map(([way, run]) => [`${name}, ${way}`, run(make)] as const),
  );
const psn = () => new snn.PSN({ timesteps: T });
const rows: Readonly<Record<string, Run>> = {
  ...Object.fromEntries([...rowsOf(NEURON_LAYERS), ...rowsOf(PRODUCTS)]),
  "PSN, forward": forward(psn),
  "PSN, forward and backward": backward(psn),
  "stream 8-16-3": stream(),
  "unroll by single steps": unrolls(),
  "unroll by single steps, adapting": adapting(),
};

warmup();
await serve(rows);

const ROUNDS = 9;
const TURN_MS = 10;
const WARM_UP_MS = 250;
const contenders = Object.entries(rows).map(([name, run]) => steps(name, run, TURN_MS));
const [forwardNs, backwardNs] = overhead();
const run = await interleave(contenders, ROUNDS, { ...WARM_UP, ms: WARM_UP_MS });

/** Milliseconds of a call, by the name of its row: rows of single steps take T calls. */
const msOf = (names: readonly string[]): [name: string, ms: number][] =>
  Object.entries(run.medians(...names)).map(([name, ms]) => [name, name.endsWith(", steps") ? ms / T : ms]);

const one = (name: string): Measured => {
  const [[, ms]] = msOf([name]) as [[string, number]];
  return { value: 1000 * ms };
};

/** The median of all neurons and the slowest ones, of which the times tell the names. */
function neurons(way: Way): [median: Measured, slowest: Measured] {
  const all = msOf(Object.keys(NEURON_LAYERS).map((name) => `${name}, ${way}`)).sort(([, a], [, b]) => b - a);
  const [[, slowest]] = all as [[string, number]];
  const times = Object.fromEntries(all.slice(0, 3));
  return [{ value: 1000 * median(all.map(([, ms]) => ms)) }, { value: 1000 * slowest, times }];
}

const [[step, stepSlowest], [over, overSlowest], [both, bothSlowest]] = (Object.keys(WAYS) as Way[]).map(neurons) as [
  [Measured, Measured],
  [Measured, Measured],
  [Measured, Measured],
];
report({
  step,
  stepSlowest,
  forward: over,
  forwardSlowest: overSlowest,
  backward: both,
  backwardSlowest: bothSlowest,
  lstmStep: one("SpikingLSTM, steps"),
  lstmForward: one("SpikingLSTM, forward"),
  lstmBackward: one("SpikingLSTM, forward and backward"),
  psnStep: one("PSN sliding, steps"),
  psnForward: one("PSN sliding, forward"),
  psnBackward: one("PSN sliding, forward and backward"),
  stream: { value: one("stream 8-16-3").value / T },
  opForward: { value: forwardNs },
  opBackward: { value: backwardNs },
});
