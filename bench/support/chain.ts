/** Chains of ops on four values: the time that an op takes besides its arithmetic. */
import { ones, parameter, type Tensor, tape } from "jarvis-snn";
import { median } from "./interleave.ts";
import { time } from "./serve.ts";

/** Ops of a chain. */
const LENGTH = 1000;
const ROUNDS = 201;

export type Link = (x: Tensor) => Tensor;

const w = parameter(ones([4]));

/** The op of each chain, by name. */
export const links: Readonly<Record<string, Link>> = {
  add: (x) => x.add(w),
  mul: (x) => x.mul(w),
  "times a number": (x) => x.mul(0.999),
  relu: (x) => x.relu(),
  reshape: (x) => x.reshape([4]),
};

/** `LENGTH` additions, without a record. */
export function additions(): Tensor {
  let x: Tensor = w;
  for (let i = 0; i < LENGTH; i++) x = x.add(w);
  return x;
}

/** Milliseconds of a chain, forward and backward. */
export function chainOf(link: Link): [forward: number, backward: number] {
  w.zeroGrad();
  return tape(() => {
    let x: Tensor = w;
    const forward = time(() => {
      for (let i = 0; i < LENGTH; i++) x = link(x);
    });
    return [forward, time(() => x.backward(ones([4])))];
  });
}

/** Nanoseconds of an op, forward and backward: the median of many chains, of the slowest op. */
export function overhead(): [forward: number, backward: number] {
  const all = Object.values(links).map((link) => {
    const rounds = Array.from({ length: ROUNDS }, () => chainOf(link));
    return ([0, 1] as const).map((way) => (median(rounds.map((round) => round[way])) * 1e6) / LENGTH);
  });
  return [0, 1].map((way) => Math.max(...all.map((both) => both[way] as number))) as [number, number];
}
