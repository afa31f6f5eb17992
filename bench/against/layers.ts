/**
 * Small layers, where everything but arithmetic costs: four neurons for 25 steps, one after the other and in one call; a small network
 * in a stream; a neuron by calls of `unroll` for one step each. A build that lacks a class or an option lacks the rows of it alone.
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
import { type Run, serve, whole } from "../support/serve.ts";

const [T, B, N] = [25, 1, 4];

interface Layer extends Module {
  step(current: Tensor, state: unknown): [output: Tensor, state: unknown];
  initialState(shape: readonly number[]): unknown;
}

/** Each neuron with its defaults and with the options of one other package. */
const LAYERS: Readonly<Record<string, () => Layer>> = {
  LIF: () => new LIF(),
  "LIF refractory": () => new LIF({ refractorySteps: 2 }),
  "LIF snntorch": () => new LIF({ numerics: "snntorch" }),
  LeakyIntegrator: () => new LeakyIntegrator(),
  "LeakyIntegrator norse": () => new LeakyIntegrator({ numerics: "norse" }),
  RecurrentLIF: () => new RecurrentLIF({ features: N }),
  IF: () => new snn.IF(),
  "IF spikingjelly": () => new snn.IF({ numerics: "spikingjelly" }),
  ParametricLIF: () => new snn.ParametricLIF(),
  "ParametricLIF spikingjelly": () => new snn.ParametricLIF({ numerics: "spikingjelly" }),
  Lapicque: () => new snn.Lapicque(),
  "Lapicque snntorch": () => new snn.Lapicque({ numerics: "snntorch" }),
  Synaptic: () => new snn.Synaptic(),
  "Synaptic norse": () => new snn.Synaptic({ numerics: "norse" }),
  SynapticIntegrator: () => new snn.SynapticIntegrator(),
  "SynapticIntegrator norse": () => new snn.SynapticIntegrator({ numerics: "norse" }),
  Alpha: () => new snn.Alpha(),
  "Alpha snntorch": () => new snn.Alpha({ numerics: "snntorch" }),
  KLIF: () => new snn.KLIF(),
  "KLIF spikingjelly": () => new snn.KLIF({ numerics: "spikingjelly" }),
  AdaptiveLIF: () => new snn.AdaptiveLIF(),
  "AdaptiveLIF norse": () => new snn.AdaptiveLIF({ numerics: "norse" }),
  AdLIF: () => new snn.AdLIF(),
  ConductanceLIF: () => new snn.ConductanceLIF(),
  "ConductanceLIF norse": () => new snn.ConductanceLIF({ numerics: "norse" }),
  ExponentialIF: () => new snn.ExponentialIF(),
  "ExponentialIF norse": () => new snn.ExponentialIF({ numerics: "norse" }),
  QuadraticIF: () => new snn.QuadraticIF(),
  "QuadraticIF spikingjelly": () => new snn.QuadraticIF({ numerics: "spikingjelly" }),
  AdEx: () => new snn.AdEx(),
  "AdEx norse": () => new snn.AdEx({ numerics: "norse" }),
  Izhikevich: () => new snn.Izhikevich(),
  "Izhikevich norse": () => new snn.Izhikevich({ numerics: "norse" }),
  ResonateAndFire: () => new snn.ResonateAndFire(),
  TsodyksMarkram: () => new snn.TsodyksMarkram(),
  "TsodyksMarkram norse": () => new snn.TsodyksMarkram({ numerics: "norse" }),
  SpikingLSTM: () => new snn.SpikingLSTM(N, N),
  "PSN sliding": () => new snn.PSN({ kind: "sliding", order: 4 }),
};

const currents = (): Tensor => rand([T, B, N]).mul(2);

/** All steps, one after the other; what they leave behind goes at the end. */
const steps = (make: () => Layer): Run =>
  whole(() => {
    const [layer, frames] = [make(), currents().unbind(0)];
    return () =>
      noGrad(() => {
        let state = layer.initialState([B, N]);
        for (const x of frames) [, state] = layer.step(x, state);
      });
  });

const forward = (make: () => Layer): Run =>
  whole(() => {
    const [layer, x] = [make(), currents()];
    return () => noGrad(() => void layer.forward(x));
  });

const backward = (make: () => Layer): Run =>
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

warmup();
await serve({
  ...Object.fromEntries(
    Object.entries(LAYERS).flatMap(([name, make]) => [
      [`${name}, steps`, steps(make)],
      [`${name}, forward`, forward(make)],
      [`${name}, forward and backward`, backward(make)],
    ]),
  ),
  "PSN, forward": forward(() => new snn.PSN({ timesteps: T })),
  "PSN, forward and backward": backward(() => new snn.PSN({ timesteps: T })),
  "stream 8-16-3": stream(),
  "unroll by single steps": unrolls(),
  "unroll by single steps, adapting": adapting(),
});
