/** The encoders of SpikingJelly and Norse in terms of this package. */
import { constantEncode, LIF, latencyEncode, phaseEncode, receptiveFields, type Tensor } from "jarvis-snn";
import { EXACT, expectClose, type Tolerance } from "../support/close.ts";
import { type GoldenTensor, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

interface Case extends NamedEntry {
  readonly input: GoldenTensor;
  readonly out: GoldenTensor;
  readonly T?: number;
  readonly K?: number;
  readonly seq_length?: number;
  readonly dt?: number;
  readonly out_features?: number;
}

type Cases = Readonly<Record<string, Omit<Case, "name">>>;

const named = (cases: Cases, names: readonly string[]): Case[] =>
  names.flatMap((name) => (cases[name] === undefined ? [] : [{ ...cases[name], name }]));

/** SpikingJelly's linear code: every value spikes, 0 in the last step. */
const linear = (x: Tensor, timesteps: number): Tensor =>
  latencyEncode(x, { timesteps, linear: true, normalize: true, threshold: 1e-6 });

const SPIKINGJELLY: Readonly<Record<string, (entry: Case) => Tensor>> = {
  latency_linear: ({ input, T = 0 }) => linear(toTensor(input), T),
  latency_log: ({ input, T = 0 }) => {
    const alpha = Math.exp(T - 1) - 1;
    const x = toTensor(input)
      .mul(alpha)
      .log1p()
      .mul(1 / (T - 1));
    return linear(x.clamp(0, 1), T);
  },
  weighted_phase: ({ input, K = 0 }) => phaseEncode(toTensor(input), { timesteps: K, phases: K }),
};

goldenSuite<Cases, Case>({
  file: "spikingjelly/encoding",
  entries: (content) => named(content, Object.keys(SPIKINGJELLY)),
  reads: Object.keys(SPIKINGJELLY),
  leftOut: {},
  run: (entry) => expectClose(entry.name, (SPIKINGJELLY[entry.name] as (e: Case) => Tensor)(entry), entry.out, EXACT),
});

/** The first spike of each neuron. */
const first = (spikes: Tensor): Tensor => spikes.mul(spikes.cumsum({ axis: 0 }).eq(1));

/** Norse's current encoder: v += dt/τ·(I − v), with 1/τ = 100. */
const driven = (x: Tensor, timesteps: number, dt: number): Tensor => {
  const rate = 100 * dt;
  const lif = new LIF({ beta: 1 - rate, inputScale: rate, reset: "zero", fire: "gt" });
  return lif.forward(constantEncode(x, { timesteps }));
};

const NORSE: Readonly<Record<string, (entry: Case) => Tensor>> = {
  spike_latency_encode: ({ input }) => first(toTensor(input)),
  constant_current_lif_encode: ({ input, seq_length = 0, dt = 0.001 }) => driven(toTensor(input), seq_length, dt),
  spike_latency_lif_encode: ({ input, seq_length = 0, dt = 0.001 }) => first(driven(toTensor(input), seq_length, dt)),
  population_encode({ input, out_features = 0 }) {
    const scale = Math.max(...numbersOf(input));
    const centers = Array.from({ length: out_features }, (_, i) => (scale * i) / (out_features - 1));
    return receptiveFields(toTensor(input), { centers, sigma: 1 / Math.sqrt(scale) });
  },
};

/** Spikes are equal; the exponential is good to 2 ulp, of a distance that float32 has squared. */
const ACTIVITY: Tolerance = { absolute: 1e-7, relative: 1e-6 };

goldenSuite<{ readonly encode: Cases }, Case>({
  file: "norse/surrogate_encode",
  entries: ({ encode }) => named(encode, Object.keys(encode)),
  reads: ["encode"],
  leftOut: {
    grid: "surrogates are compared in surrogates.golden.test.ts",
    entries: "surrogates are compared in surrogates.golden.test.ts",
  },
  run(entry) {
    const make = NORSE[entry.name];
    if (make === undefined) throw new Error(`no encoder for ${entry.name}`);
    expectClose(entry.name, make(entry), entry.out, ACTIVITY);
  },
});
