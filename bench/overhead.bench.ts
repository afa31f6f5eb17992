/** What an op costs besides its arithmetic: chains of ops on four values, recorded, and walked back. */
import { ones, parameter, type Tensor, tape, warmup } from "jarvis-snn";
import { median, table } from "./support/interleave.ts";

const LENGTH = 1000;
const ROUNDS = 201;

const w = parameter(ones([4]));
const chains: Record<string, (x: Tensor) => Tensor> = {
  add: (x) => x.add(w),
  mul: (x) => x.mul(w),
  "mul by a number": (x) => x.mul(0.999),
  relu: (x) => x.relu(),
  reshape: (x) => x.reshape([4]),
};

warmup();
const rows = Object.entries(chains).map(([name, link]) => {
  const forward: number[] = [];
  const backward: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    tape(() => {
      const start = performance.now();
      let x: Tensor = w;
      for (let i = 0; i < LENGTH; i++) x = link(x);
      const middle = performance.now();
      x.backward(ones([4]));
      forward.push(middle - start);
      backward.push(performance.now() - middle);
    });
    w.zeroGrad();
  }
  const nanoseconds = (times: number[]) => ((median(times) * 1e6) / LENGTH).toFixed(0);
  return [name, nanoseconds(forward), nanoseconds(backward)];
});
console.log(table([["ns an op", "forward", "backward"], ...rows]));
