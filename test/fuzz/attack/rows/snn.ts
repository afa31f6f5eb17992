/** Functions of spiking layers: probes, encoders, losses, definitions of neurons and rules. */
import type * as snn from "../../../../snn/index.ts";
import { argsOfEncoders, fieldArgs, latencyArgs } from "../../../support/encoders.ts";
import { SURROGATE_LIST } from "../../../support/surrogates.ts";
import {
  bool,
  choice,
  count,
  either,
  fn,
  indices,
  list,
  listOf,
  must,
  nullable,
  num,
  numbers,
  oneOf,
  operand,
  record,
  type Spec,
  spare,
  t,
} from "../kinds.ts";
import { generator, loss, model, probed, recording, recordingWithLoss, surrogate } from "../objects.ts";
import type { Rows } from "../typed.ts";
import { networkState, reduction } from "./arguments.ts";

/** Of two samples of up to four steps. */
const lengths = nullable(oneOf(["[2, 4]", "Int32Array.of(4, 1)"], ["list", "typed"]));

const sequence = { reduction, weight: nullable(t(3)), lengths };

const entropy = { ...sequence, labelSmoothing: num(0, 0.1) };

const rate = num(0, 0.5, 1);

export const SNN: Rows<typeof snn> = {
  record: [probed, t(4, 2, 3), { loss, layers: listOf(oneOf(['"1"'], ["string"])) }],
  fromPython: [
    record({
      weight: record({ shape: list(2, 3), data: numbers(6) }),
      "lifted_module.bias": record({ shape: list(2), data: numbers(2) }),
    }),
    record({ model, from: choice("norse", "snntorch", "spikingjelly") }),
  ],
  observe: [probed, record({ current: t(4, 2, 3), spikes: t(4, 2, 3), membrane: spare(t(4, 2, 3)) })],
  disposeState: [nullable(oneOf([networkState], ["object", "list"]))],
  truncatedBackward: [
    probed,
    // Backward of the first piece would consume what an x was made by.
    { ...t(4, 2, 3), draw: (g) => g.pick(["rand([4, 2, 3])", "zeros([4, 2, 3])", "parameter(rand([4, 2, 3]))"]) },
    fn("(z) => z.sum()", "(z, from, to) => (from > 0 ? z.square().mean() : null)"),
    { steps: must(num(1, 3, 4)) },
  ],
  inBlocks: [probed, t(4, 2, 3), { steps: must(num(1, 3, 4)) }],
  firingRates: [recording, { silentRate: rate, saturatedRate: rate }],
  gradientNorms: [recordingWithLoss],
  diagnose: [
    probed,
    t(4, 2, 3),
    {
      loss: must(loss),
      encode: fn("(x) => x.mul(2)", "(x) => x"),
      silentRate: rate,
      saturatedRate: rate,
      deadShare: rate,
      saturatedShare: rate,
      passingShare: rate,
      vanishing: rate,
      exploding: num(1, 10),
    },
  ],
  firingCurve: [
    oneOf(["new LIF()", "new IF()"]),
    numbers(3),
    { timesteps: count(10), discard: num(0, 5), features: num(1, 2) },
  ],
  adExPattern: [choice("tonicSpiking", "regularBursting"), { duration: num(20), dt: num(0.5) }],
  izhikevichPattern: [choice("tonicSpiking", "phasicBursting")],
  rasterText: [t(4, 2, 3), { sample: num(0, 1), width: num(10), height: num(3) }],
  traceText: [t(4, 2, 3), { sample: num(0), neuron: num(1), width: num(10), height: num(3) }],
  ...argsOfEncoders(),
  receptiveFields: [t(2, 3), fieldArgs],
  rateTargets: [
    indices(3, 4),
    {
      numClasses: must(num(3)),
      timesteps: must(num(2, 3)),
      correctRate: num(0.5, 1),
      incorrectRate: num(0, 0.25),
      firstSpikeTime: num(0, 1),
      firingPattern: choice("regular", "uniform", "poisson"),
      interpolate: bool,
      onTarget: num(1, 2),
      offTarget: num(0, 0.5),
      generator,
    },
  ],
  latencyTargets: [indices(3, 4), { numClasses: must(num(3)), ...latencyArgs }],
  filteredTrace: [t(4, 2, 3), { beta: num(0, 0.5), lengths }],
  lastMembrane: [t(4, 2, 3), { lengths }],
  maxMembrane: [t(4, 2, 3), { ties: choice("first", "share"), lengths }],
  meanOverTime: [t(4, 2, 3), { lengths }],
  spikeCount: [t(4, 2, 3), { lengths }],
  spikeTimes: [t(4, 2, 3), { count: num(1, 2), lengths }],
  ceRateLoss: [t(4, 2, 3), indices(3, 2), entropy],
  ceCountLoss: [t(4, 2, 3), indices(3, 2), { ...entropy, numClasses: nullable(num(3)) }],
  ceMaxMembraneLoss: [t(4, 2, 3), indices(3, 2), entropy],
  tetLoss: [t(4, 2, 3), indices(3, 2), { ...entropy, lambda: num(0, 0.5), target: spare(num(1, 0)) }],
  mseCountLoss: [
    t(4, 2, 3),
    indices(3, 2),
    { ...sequence, numClasses: nullable(num(3)), correctRate: num(1, 0.5), incorrectRate: num(0, 0.25) },
  ],
  mseMembraneLoss: [
    t(4, 2, 3),
    either(indices(3, 2), t(2, 3)),
    {
      ...sequence,
      weight: spare(nullable(t(3))),
      onTarget: num(1),
      offTarget: num(0, -1),
      timeVarTargets: spare(bool),
    },
  ],
  ceTemporalLoss: [t(4, 2, 3), indices(3, 2), { ...entropy, inverse: choice("negate", "reciprocal") }],
  mseTemporalLoss: [
    t(4, 2, 3),
    indices(3, 2),
    {
      ...sequence,
      onTarget: either(num(0, 1), list(0, 1)),
      offTarget: spare(either(num(3, -1), list(2, 3))),
      targetIsTime: spare(bool),
      tolerance: num(0, 2),
    },
  ],
  vanRossumLoss: [t(4, 2, 3), t(4, 2, 3), { tau: num(10, 2), dt: num(1, 0.5), reduction, lengths }],
  l1RateSparsity: [t(4, 2, 3), { lambda: num(1e-5, 0), lengths }],
  maximumRate: [t(4, 2, 3), { maximum: must(num(0.5, 1)), lambda: num(1, 0), lengths }],
  silence: [t(4, 2, 3), { minimum: must(num(0.5, 0)), lambda: num(1, 0), lengths }],
  synapticOperations: [t(4, 2, 3), either(num(3, 1), t(3), oneOf(["new Linear(3, 4)"])), { lengths }],
  accuracyRate: [t(4, 2, 3), indices(3, 2), { numClasses: nullable(num(3)), lengths }],
  accuracyTemporal: [t(4, 2, 3), indices(3, 2), { lengths }],
  confusionMatrix: [
    t(2, 3),
    indices(3, 2),
    { into: nullable(oneOf(["[[0, 0, 0], [0, 1, 0], [0, 0, 0]]"], ["list", "object"])) },
  ],
  neuron: [
    record({
      name: must(oneOf(['"Odd"'], ["string"])),
      state: must(
        record({
          v: oneOf(["0", "0.5"], ["number", "function"]),
          w: must(either(num(0), fn("({ beta }) => beta.mul(2)"))),
        }),
      ),
      parameters: must(record({ beta: num(0.9), threshold: num(1) })),
      reset: oneOf(['"v"', '"w"']),
      choices: spare(record({ mode: list(1, 2) })),
      constrain: spare(record({ beta: list(0, 1) })),
      numerics: spare(record({ other: record({ beta: num(0.5) }) })),
      step: must(
        fn(
          "({ current, v, w, beta, threshold, spike }) => { const s = spike(v.sub(threshold)); " +
            "return { spikes: s, v: v.mul(beta).add(current).sub(s), w: w.add(s) }; }",
        ),
      ),
    }),
  ],
  plasticity: [
    record({
      name: must(oneOf(['"Odd"'], ["string"])),
      traces: must(
        record({
          x: must(
            // A function gives the trace when a rule is made.
            either(
              record({ of: choice("pre", "post"), tau: either(num(20), oneOf(['"tau"'])), amount: spare(num(0.5)) }),
              oneOf(['() => ({ of: "pre", tau: 20 })'], ["function"]),
            ),
          ),
          y: oneOf(['({ mode }) => (mode === "one" ? { of: "post", tau: "tau" } : null)'], ["function"]),
        }),
      ),
      synapse: must(
        record({ e: must(either(record({ tau: num(20, 0) }), oneOf(["() => ({ tau: 20 })"], ["function"]))) }),
      ),
      parameters: must(record({ rate: num(0.1), tau: num(20) })),
      choices: must(record({ mode: oneOf(['["one", "two"]'], ["list", "boolean", "number"]) })),
      needs: spare(record({ rate: record({ mode: oneOf(['["one"]'], ["list"]) }) })),
      constrain: spare(record({ rate: list(0, 1) })),
      numerics: spare(record({ other: record({ rate: num(0.5) }) })),
      explains: spare(nullable(choice("all", "below"))),
      onPre: fn("({ w, rate }) => w.mul(rate).neg()", "({ x, rate, where }) => where(x.gt(0), rate, 0)"),
      onPost: must(fn("({ e, x, rate }) => ({ w: x.mul(rate), e: e.neg() })", "({ constant }) => constant(0.5)")),
      onStep: spare(fn("({ w, rate }) => w.mul(rate)")),
      onReward: spare(fn("({ e, reward }) => e.mul(reward)")),
    }),
  ],
  spike: [t(2, 3), { threshold: operand(2, 3), surrogate, fire: choice("ge", "gt") }],
};

export const SURROGATES: { readonly [name: string]: readonly Spec[] } = Object.fromEntries(
  SURROGATE_LIST.map(([name, { args }]) => [name, args]),
);
