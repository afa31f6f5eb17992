/** A network that is large enough for threads to share its kernels: trained by one thread, and by two. */
import {
  Adam,
  crossEntropy,
  LIF,
  Linear,
  manualSeed,
  meanOverTime,
  rand,
  Sequential,
  Tensor,
  tape,
} from "jarvis-snn/core";
import { memory } from "jarvis-snn/kernels";
import { threads } from "jarvis-snn/threads";

/** The weights after two steps as one number: FNV of their words. */
function train() {
  manualSeed(1);
  const model = new Sequential(new Linear(100, 256), new LIF(), new Linear(256, 10));
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const y = Array.from({ length: 32 }, (_, i) => i % 10);
  for (let step = 0; step < 2; step++) {
    tape(() => {
      const loss = crossEntropy(meanOverTime(model.forward(rand([10, 32, 100]))), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    });
  }
  let hash = 0x811c9dc5;
  for (const parameter of model.parameters()) {
    for (const word of new Uint32Array(parameter.toFloat32Array().buffer)) hash = Math.imul(hash ^ word, 0x01000193);
  }
  return hash >>> 0;
}

const kindOf = (buffer) => Object.prototype.toString.call(buffer).slice(8, -1);

/** The weights by one thread, by two, and by one again, and what became of a view from before. */
export async function trainWithThreads(options) {
  const weights = [train()];
  const x = rand([3]);
  const before = x.data;
  const counts = [await threads(2, options)];
  weights.push(train());
  counts.push(await threads(1));
  weights.push(train());
  const isAlive = x instanceof Tensor && x.data.length === 3;
  return { weights, counts, isAlive, before: before.length, memory: kindOf(memory.buffer) };
}

/** The error where the content policy forbids workers from blobs, and the weights where the page serves the program of a worker. */
export async function trainWithProgram(worker) {
  const refused = await threads(2).catch(({ message }) => message);
  return { refused, ...(await trainWithThreads({ worker })) };
}
