/** The declarations, as a user's compiler sees them. */
import { LIF, Linear, Sequential, surrogate, Tensor, tape, tensor } from "jarvis-snn";
import type { Tensor as EngineTensor, Module } from "jarvis-snn/engine";
import { zeros } from "jarvis-snn/engine";
import { type Kernels, kernels, kinds, memory } from "jarvis-snn/kernels";
import { readIdx } from "jarvis-snn/node";
import { meanOverTime, type LIF as Neuron } from "jarvis-snn/snn";

const lif = new LIF({ beta: 0.9, surrogate: surrogate.atan() });
const model: Sequential = new Sequential(new Linear(2, 3), lif);
const rates: Tensor = tape(() => meanOverTime(model.forward(zeros([5, 1, 2]))));
export const shape: readonly number[] = rates.shape;
export const bytes: ArrayBuffer = memory.buffer;
export const raw: Kernels = kernels;
export const kind: number = kinds.ATAN;
export const images: Uint8Array = readIdx("images").data;

// The entries share their types, and ops are methods.
export const total: EngineTensor = rates.relu().add(1).sum({ axis: 0 });
export const module: Module = lif;
export const neuron: Neuron = lif;

// @ts-expect-error: the reset has a name
export const wrong = new LIF({ reset: "sometimes" });
// @ts-expect-error: a tensor is made of numbers
export const text = tensor("1");
// @ts-expect-error: functions make tensors
export const made = new Tensor();
// @ts-expect-error: addresses are internal
export const address = rates.ptr;
