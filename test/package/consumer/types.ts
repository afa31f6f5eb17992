/** The declarations, as a user's compiler sees them. */
import { LIF, Linear, record, Sequential, surrogate, Tensor, tape, tensor } from "jarvis-snn";
import type { Tensor as EngineTensor, Module } from "jarvis-snn/engine";
import { zeros } from "jarvis-snn/engine";
import { apply, gradOf, k, type Op, SAVES } from "jarvis-snn/extend";
import { type Kernels, kernels, kinds, memory } from "jarvis-snn/kernels";
import { readIdx } from "jarvis-snn/node";
import { rasterPlot } from "jarvis-snn/plot";
import { meanOverTime, type LIF as Neuron, neuron as neurons } from "jarvis-snn/snn";

const lif = new LIF({ beta: 0.9, surrogate: surrogate.atan() });
const model: Sequential = new Sequential(new Linear(2, 3), lif);
const rates: Tensor = tape(() => meanOverTime(model.forward(zeros([5, 1, 2]))));
export const shape: readonly number[] = rates.shape;
export const bytes: ArrayBuffer = memory.buffer;
export const raw: Kernels = kernels;
export const kind: number = kinds.ATAN;
export const images: Uint8Array = readIdx("images").data;

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

// @ts-expect-error: the reset has a name
export const wrong = new LIF({ reset: "sometimes" });
// @ts-expect-error: a tensor is made of numbers
export const text = tensor("1");
// @ts-expect-error: functions make tensors
export const made = new Tensor();
// @ts-expect-error: addresses are internal
export const address = rates.ptr;
