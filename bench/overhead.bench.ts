/** What an op costs besides its arithmetic: chains of ops on four values, recorded, and walked back. */
import { noGrad, ones, parameter, type Tensor, tape, warmup } from "jarvis-snn";
import { median } from "./support/interleave.ts";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";
import { part, serve, time } from "./support/serve.ts";

const LENGTH = 1000;
const ROUNDS = 201;

const w = parameter(ones([4]));
const links: Record<string, Link> = {
  add: (x) => x.add(w),
  mul: (x) => x.mul(w),
  "times a number": (x) => x.mul(0.999),
  relu: (x) => x.relu(),
  reshape: (x) => x.reshape([4]),
};

type Link = (x: Tensor) => Tensor;

/** Milliseconds of a chain, forward and backward. */
function chainOf(link: Link): [forward: number, backward: number] {
  w.zeroGrad();
  return tape(() => {
    let x: Tensor = w;
    const forward = time(() => {
      for (let i = 0; i < LENGTH; i++) x = link(x);
    });
    return [forward, time(() => x.backward(ones([4])))];
  });
}

/** Median nanoseconds of a link, forward and backward. */
function overhead(link: Link): [forward: number, backward: number] {
  const rounds = Array.from({ length: ROUNDS }, () => chainOf(link));
  const nanoseconds = (way: 0 | 1) => (median(rounds.map((round) => round[way])) * 1e6) / LENGTH;
  return [nanoseconds(0), nanoseconds(1)];
}

function chain(): void {
  noGrad(() => {
    let x: Tensor = w;
    for (let i = 0; i < LENGTH; i++) x = x.add(w);
    return x.data[0];
  });
}

warmup();
const rows = Object.entries(links).flatMap(([name, link]) => [
  [`${name}, forward`, part(() => () => chainOf(link)[0])] as const,
  [`${name}, backward`, part(() => () => chainOf(link)[1])] as const,
]);
await serve(Object.fromEntries(rows));
const measured = Object.values(links).map(overhead);
report({
  forward: { value: Math.max(...measured.map(([forward]) => forward)) },
  backward: { value: Math.max(...measured.map(([, backward]) => backward)) },
  ...(await race("overhead", { chain: { step: chain, rounds: 21 } })),
});
