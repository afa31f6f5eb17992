/** A step of `fit`, with all that it does for a batch besides the network: checks, reports, pauses. */
import {
  Adam,
  type Batch,
  crossEntropy,
  type FitOptions,
  fit,
  LIF,
  Linear,
  type Module,
  manualSeed,
  meanOverTime,
  noGrad,
  poissonEncode,
  rand,
  Sequential,
  type Tensor,
  warmup,
} from "jarvis-snn";
import { DEFAULTS, prepareToy } from "../../demos/toy/network.ts";
import { type Run, serve } from "../support/serve.ts";
import { labels, leaky } from "../support/training.ts";

interface Training extends Pick<FitOptions, "optimizer" | "encode"> {
  readonly model: Module;
  readonly batch: Batch;
  readonly loss: (output: Tensor, y: Batch["y"]) => Tensor;
}

/** An epoch of so many times the same batch, made when the row is first asked for. */
function steps(make: () => Training): Run {
  let training: Training | undefined;
  return async (count) => {
    training ??= make();
    const { model, batch, ...options } = training;
    const batches = new Array<Batch>(count).fill(batch);
    const start = performance.now();
    await fit(model, batches, { epochs: 1, ...options });
    return (performance.now() - start) / count;
  };
}

/** The toy trainer (`npm start`) on its first batch. */
function toy(): Training {
  const { model, trainLoader, encode, optimizer } = prepareToy(DEFAULTS);
  const [batch] = trainLoader;
  if (batch === undefined) throw new Error("bench: no batch");
  return { model, batch, encode, optimizer, loss: (output, y) => crossEntropy(output, y) };
}

/** The same with currents that are written out, which are checked as the input of the network. */
function currents(): Training {
  const { encode = (x) => x, ...training } = toy();
  return { ...training, encode: (x, lengths) => encode(x, lengths).mul(0.5) };
}

/** 20-64-2, T 20, batch 64: a step in which everything but arithmetic costs. */
function small(): Training {
  manualSeed(0);
  const model = new Sequential(new Linear(20, 64), new LIF(leaky(0.9)), new Linear(64, 2), new LIF(leaky(0.9)));
  const x = noGrad(() => poissonEncode(rand([64, 20]), { timesteps: 20 }));
  return {
    model,
    batch: { x, y: labels(64, 2), size: 64 },
    optimizer: new Adam(model.parameters(), { lr: 1e-3 }),
    loss: (output, y) => crossEntropy(meanOverTime(output), y),
  };
}

warmup();
await serve({ toy: steps(toy), "toy, currents": steps(currents), small: steps(small) });
