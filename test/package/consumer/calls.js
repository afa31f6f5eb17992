/** Bytes of JavaScript objects that a call leaves behind: of an op, and of `forward` of layers. Needs --expose-gc. */
import { LeakyIntegrator, LIF, noGrad, rand } from "jarvis-snn";

const CALLS = 100_000;
/** Calls of a scope, whose memory goes with it. */
const TOGETHER = 1000;

const sequence = rand([25, 1, 4]);
const [lif, integrator] = [new LIF(), new LeakyIntegrator()];

const calls = {
  op: () => sequence.add(sequence),
  LIF: () => lif.forward(sequence),
  LeakyIntegrator: () => integrator.forward(sequence),
};

function bytesOf(call) {
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
  return Math.min(...runs);
}

console.log(JSON.stringify(Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, bytesOf(call)]))));
