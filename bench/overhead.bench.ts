/** What an op costs besides its arithmetic: chains of ops on four values, recorded, and walked back. */
import { noGrad, ones, parameter, type Tensor, tape, warmup } from "jarvis-snn";
import { median } from "./support/interleave.ts";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";

const LENGTH = 1000;
const ROUNDS = 201;

const w = parameter(ones([4]));
const links: ((x: Tensor) => Tensor)[] = [
  (x) => x.add(w),
  (x) => x.mul(w),
  (x) => x.mul(0.999),
  (x) => x.relu(),
  (x) => x.reshape([4]),
];

/** Median nanoseconds of a link of a chain, forward and backward. */
function overhead(link: (x: Tensor) => Tensor): [forward: number, backward: number] {
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
  return [(median(forward) * 1e6) / LENGTH, (median(backward) * 1e6) / LENGTH];
}

function chain(): void {
  noGrad(() => {
    let x: Tensor = w;
    for (let i = 0; i < LENGTH; i++) x = x.add(w);
    return x.data[0];
  });
}

warmup();
const measured = links.map(overhead);
report({
  forward: { value: Math.max(...measured.map(([forward]) => forward)) },
  backward: { value: Math.max(...measured.map(([, backward]) => backward)) },
  ...(await race("overhead", { chain: { step: chain, rounds: 21 } })),
});
