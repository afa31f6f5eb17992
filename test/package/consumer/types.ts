/** The declarations, as a user's compiler sees them. */
import {
  AdaptiveLIF,
  Lapicque,
  LIF,
  type LIFOptions,
  Linear,
  record,
  Sequential,
  surrogate,
  Tensor,
  tape,
  tensor,
} from "jarvis-snn";
import type { Tensor as EngineTensor, Module } from "jarvis-snn/engine";
import { zeros } from "jarvis-snn/engine";
import { apply, gradOf, k, type Op, SAVES } from "jarvis-snn/extend";
import { arithmetic, type Kernels, kernels, kinds, memory } from "jarvis-snn/kernels";
import { readIdx } from "jarvis-snn/node";
import { rasterPlot } from "jarvis-snn/plot";
import type { Arithmetic } from "jarvis-snn/relaxed";
import { meanOverTime, type LIF as Neuron, neuron as neurons } from "jarvis-snn/snn";
import { threads } from "jarvis-snn/threads";

const lif = new LIF({ beta: 0.9, surrogate: surrogate.atan() });
const model: Sequential = new Sequential(new Linear(2, 3), lif);
const rates: Tensor = tape(() => meanOverTime(model.forward(zeros([5, 1, 2]))));
export const shape: readonly number[] = rates.shape;
export const bytes: ArrayBuffer = memory.buffer;
export const raw: Kernels = kernels;
export const kind: number = kinds.ATAN;
export const sums: Arithmetic = arithmetic;
export const images: Uint8Array = readIdx("images").data;

// Options are named, and the number of threads comes later.
export const count: Promise<number> = threads(2, { worker: "worker.js" });

// Recordings are drawn as they are, also those of layers without spikes.
export const picture: Promise<string> = rasterPlot({
  hidden: record(model, zeros([5, 1, 2])).layers["1"]?.spikes ?? null,
});

// The entries share their types, and ops are methods.
export const total: EngineTensor = rates.relu().add(1).sum({ axis: 0 });
export const module: Module = lif;
export const neuron: Neuron = lif;

// An op of one's own has typed attributes.
const scaleOp: Op<{ factor: number }> = {
  name: "scale",
  saves: SAVES.nothing,
  forward() {},
  backward: (z, x, _b, _c, { factor }) => k.addScaled(gradOf(x), gradOf(z), x.size, factor),
};
export const scaled: Tensor = apply(scaleOp, { factor: 2 }, rates);
// @ts-expect-error: the attributes of this op have a factor
export const unscaled = apply(scaleOp, {}, rates);

// States, parameters and outputs of a neuron of one's own are inferred.
const Leaky = neurons({
  name: "Leaky",
  state: { v: ({ rest }) => rest },
  parameters: { rest: 0.1, beta: 0.9 },
  step({ current, v, rest, beta, spike }) {
    const u = v.sub(rest).mul(beta).add(rest).add(current);
    const s = spike(u.sub(1));
    return { spikes: s, membrane: u, v: u.sub(s) };
  },
});
const leaky = new Leaky({ beta: 0.8, learn: ["rest"] });
export const membrane: Tensor = leaky.unroll(zeros([5, 1, 2]), leaky.initialState([1, 2])).membrane;
export const beta: Tensor = leaky.beta;
// @ts-expect-error: no parameter has this name
export const gamma = leaky.gamma;
// @ts-expect-error: no parameter has this name
export const learned = new Leaky({ learn: ["gamma"] });

// Neurons are classes, types, and classes to extend; options of another name or kind do not compile.
const adaptive: AdaptiveLIF = new AdaptiveLIF({ kappa: tensor([1, 2, 3]), learn: ["beta"], reset: "zero" });
class Named extends AdaptiveLIF {
  readonly label: string;

  constructor(label: string) {
    super({ rho: 0.9 });
    this.label = label;
  }
}
const named = new Named("slow");
export const kappas: readonly Tensor[] = [adaptive.kappa, named.kappa];
export const labels: string = named.label + named.unroll(zeros([5, 1, 2])).a.shape.join();
export const isAdaptive: boolean = named instanceof AdaptiveLIF;
export const factor: Lapicque = new Lapicque({ beta: 0.9 });
export const options: LIFOptions = { tau: 10, decay: "euler", inputScale: "leak", lowerBound: -1, learn: ["rest"] };
// @ts-expect-error: no parameter has this name
export const misnamed = new AdaptiveLIF({ kapa: 1 });
// @ts-expect-error: kappa is a number or a tensor
export const mistyped = new AdaptiveLIF({ kappa: "1" });
// @ts-expect-error: no form of the equation has this name
export const mischosen = new AdaptiveLIF({ adaptation: "both" });
// @ts-expect-error: LIF takes "leak" alone in the place of a number
export const misscaled = new LIF({ inputScale: "one" });
// @ts-expect-error: a time constant is a number
export const mistimed = new LIF({ tau: tensor([1]) });

// Parameters are optional, come from other options, and are learned by options of their own.
const Leaking = neurons({
  name: "Leaking",
  state: { v: ({ rest }) => rest },
  parameters: {
    beta: {
      default: 0.9,
      from: { options: { steps: NaN }, value: ({ steps }: { steps?: number }) => steps && 1 - 1 / steps },
      also: { learnBeta: false },
    },
    rest: { default: 0, optional: true },
    floor: { default: null, optional: true },
    gain: { default: 1, optional: ["leak"] },
  },
  step({ current, v, beta, rest, floor, gain, constant }) {
    const scaled = current.mul(gain === "leak" ? constant(1).sub(beta) : gain);
    const u = v.sub(rest).mul(beta).add(rest).add(scaled);
    return { membrane: u, v: floor === null ? u : u.maximum(floor) };
  },
});
export const leaking = new Leaking({ steps: 5, gain: "leak", floor: tensor([0, 1]), learnBeta: true, learn: ["rest"] });
export const floor: Tensor | undefined = leaking.floor;
// @ts-expect-error: a layer may be without it
export const floored: Tensor = leaking.floor;
// @ts-expect-error: a number takes the place of the parameter, or a tensor
export const ungained = new Leaking({ gain: "lake" });
// @ts-expect-error: the option says true or false
export const unlearned = new Leaking({ learnBeta: 1 });
// @ts-expect-error: steps are a number
export const unstepped = new Leaking({ steps: "5" });
export const misstepped = neurons({
  name: "Misstepped",
  state: { v: 0 },
  parameters: { beta: 0.9, rest: { default: 0, optional: true } },
  // @ts-expect-error: an optional parameter may be a number
  step: ({ v, rest }) => ({ membrane: rest.mul(v), v }),
});

// Definitions in the words of before: optional parameters, parameters from other options, and other spellings.
const Before = neurons({
  name: "Leaking",
  state: { v: ({ rest }) => rest },
  parameters: { beta: 0.9 },
  optional: { rest: 0, floor: null, gain: [1, "leak"] },
  from: { beta: { options: { steps: NaN }, value: ({ steps }) => steps && 1 - 1 / steps } },
  also: { learnBeta: { learn: "beta" } },
  step({ current, v, beta, rest, floor, gain, constant }) {
    const scaled = current.mul(gain === "leak" ? constant(1).sub(beta) : gain);
    const u = v.sub(rest).mul(beta).add(rest).add(scaled);
    return { membrane: u, v: floor === null ? u : u.maximum(floor) };
  },
});
export const before = new Before({ steps: 5, gain: "leak", floor: tensor([0, 1]), learnBeta: true, learn: ["rest"] });
export const floorBefore: Tensor | undefined = before.floor;
// @ts-expect-error: a number takes the place of the parameter, or a tensor
export const ungainedBefore = new Before({ gain: "lake" });
// @ts-expect-error: the option says true or false
export const unlearnedBefore = new Before({ learnBeta: 1 });

// @ts-expect-error: the reset has a name
export const wrong = new LIF({ reset: "sometimes" });
// @ts-expect-error: a tensor is made of numbers
export const text = tensor("1");
// @ts-expect-error: functions make tensors
export const made = new Tensor();
// @ts-expect-error: addresses are internal
export const address = rates.ptr;
