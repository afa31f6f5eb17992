/** The declarations, as a user's compiler sees them. */
import { LIF, Linear, Sequential, type Tensor, tape, tensor } from "jarvis-snn";
import { zeros } from "jarvis-snn/engine";
import { memory } from "jarvis-snn/kernels";
import { meanOverTime } from "jarvis-snn/snn";

const model: Sequential = new Sequential(new Linear(2, 3), new LIF({ beta: 0.9 }));
const rates: Tensor = tape(() => meanOverTime(model.forward(zeros([5, 1, 2]))));
export const shape: readonly number[] = rates.shape;
export const bytes: number = memory.buffer.byteLength;
// @ts-expect-error: the reset has a name
export const wrong = new LIF({ reset: "sometimes" });
// @ts-expect-error: a tensor is made of numbers
export const text = tensor("1");
