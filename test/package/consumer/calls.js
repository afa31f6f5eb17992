/** Bytes of JavaScript objects that a call leaves behind for each tensor of its result: of an op, and of layers. Needs --expose-gc. */
import { AdaptiveLIF, AdEx, IF, LeakyIntegrator, LIF, noGrad, rand } from "jarvis-snn";

const CALLS = 50_000;
/** Calls of a scope, whose memory goes with it. */
const TOGETHER = 1000;

const [sequence, one] = [rand([25, 1, 4]), rand([1, 4])];

/** Of each call how many tensors it gives. */
const calls = { op: [() => sequence.add(sequence), 1] };

for (const make of [LIF, LeakyIntegrator, IF, AdaptiveLIF, AdEx]) {
  for (const options of [{}, { refractorySteps: 2 }]) {
    if (make === LeakyIntegrator && options.refractorySteps !== undefined) continue;
    const layer = new make(options);
    const state = layer.initialState([1, 4]);
    const states = make === LeakyIntegrator ? 1 : Object.keys(state).length;
    const name = `${make.name} ${JSON.stringify(options)}`;
    calls[`${name} forward`] = [() => layer.forward(sequence), 1];
    calls[`${name} step`] = [() => layer.step(one, state), 1 + states];
  }
}

function bytesOf([call, tensors]) {
  const some = () => {
    for (let i = 0; i < TOGETHER; i++) call();
  };
  // Code that the engine compiles takes memory of its own, now and then; objects that calls make take it in each run.
  const runs = Array.from({ length: 3 }, () => {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i += TOGETHER) noGrad(some);
    return (process.memoryUsage().heapUsed - before) / CALLS;
  });
  return Math.min(...runs) / tensors;
}

console.log(JSON.stringify(Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, bytesOf(call)]))));
