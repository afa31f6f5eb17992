/**
 * Weights that change at spikes: pair STDP between a thousand neurons before and a thousand behind, against loops in plain JavaScript
 * over the weights of the spikes or over all, and against the rules of other packages; and what a step costs as more neurons spike.
 */
import { bernoulli, full, Generator, Linear, Plastic, rand, STDP, type Tensor, warmup } from "jarvis-snn";
import { calls, interleave, steps } from "./support/interleave.ts";
import { race } from "./support/race.ts";
import { OURS, report } from "./support/report.ts";
import { serve, whole } from "./support/serve.ts";

const N = 1000;
const T = 100;
const RULE = { aPlus: 0.01, aMinus: 0.012, tauPlus: 20, tauMinus: 20 };
const PERCENTS = [0, 0.1, 0.3, 1, 3, 10, 30];
const ROUNDS = 15;

interface Run {
  readonly pre: readonly Tensor[];
  readonly post: readonly Tensor[];
}

/** Spikes of T steps on both sides, of which so many percent are 1. */
function run(percent: number): Run {
  const generator = new Generator(1);
  const probabilities = full([1, N], percent / 100);
  const drawn = () => Array.from({ length: T }, () => bernoulli(probabilities, { generator }));
  return { pre: drawn(), post: drawn() };
}

/** One step after the other by the package, from these weights on. */
function ours({ pre, post }: Run, weights: Float32Array) {
  const layer = new Linear(N, N, { bias: false });
  layer.weight.copyFrom(weights);
  const plastic = new Plastic(layer, new STDP({ ...RULE, order: "after" }), { bounds: [0, 1] });
  let state = plastic.initialState(1);
  let t = 0;
  const step = () => {
    state = plastic.step(pre[t] as Tensor, post[t] as Tensor, state);
    t = (t + 1) % T;
  };
  return { step, weights: () => layer.weight.toFloat32Array() };
}

/** The neurons that spike in each step. */
const lists = (spikes: readonly Tensor[]): number[][] =>
  spikes.map((s) => [...s.toFloat32Array().entries()].filter(([, x]) => x === 1).map(([i]) => i));

/** The same in plain loops, as one writes them for speed: over the rows of the weights, which lie one after the other. */
function loops({ pre, post }: Run, weights: Float32Array, dense: boolean) {
  const [before, behind] = [lists(pre), lists(post)];
  const w = weights.slice();
  const [x, y] = [new Float32Array(N), new Float32Array(N)];
  const [inPre, inPost] = [new Float32Array(N), new Float32Array(N)];
  const { aPlus, aMinus, tauPlus } = RULE;
  const decay = Math.exp(-1 / tauPlus);
  let t = 0;

  const overSpikes = (pres: readonly number[], posts: readonly number[]) => {
    for (let j = 0; j < N; j++) {
      const change = aMinus * (y[j] as number);
      const row = j * N;
      for (let k = 0; k < pres.length; k++) {
        const at = row + (pres[k] as number);
        const z = (w[at] as number) - change;
        w[at] = Math.max(z, 0);
      }
    }
    for (let k = 0; k < posts.length; k++) {
      const row = (posts[k] as number) * N;
      for (let i = 0; i < N; i++) {
        const z = (w[row + i] as number) + aPlus * (x[i] as number);
        w[row + i] = Math.min(z, 1);
      }
    }
  };
  const overAll = (pres: readonly number[], posts: readonly number[]) => {
    inPre.fill(0);
    inPost.fill(0);
    for (const i of pres) inPre[i] = 1;
    for (const j of posts) inPost[j] = 1;
    for (let j = 0; j < N; j++) {
      const [down, up] = [aMinus * (y[j] as number), aPlus * (inPost[j] as number)];
      const row = j * N;
      for (let i = 0; i < N; i++) {
        const z = (w[row + i] as number) + up * (x[i] as number) - down * (inPre[i] as number);
        w[row + i] = Math.min(Math.max(z, 0), 1);
      }
    }
  };

  const step = () => {
    const [pres, posts] = [before[t] as number[], behind[t] as number[]];
    for (let i = 0; i < N; i++) x[i] = (x[i] as number) * decay;
    for (let j = 0; j < N; j++) y[j] = (y[j] as number) * decay;
    for (let k = 0; k < pres.length; k++) (x[pres[k] as number] as number) += 1;
    for (let k = 0; k < posts.length; k++) (y[posts[k] as number] as number) += 1;
    (dense ? overAll : overSpikes)(pres, posts);
    t = (t + 1) % T;
  };
  return { step, weights: () => w };
}

/** Throws unless all have made the same weights, up to roundings. */
function checkSame(contenders: readonly { step(): void; weights(): Float32Array }[]): void {
  for (const { step } of contenders) for (let t = 0; t < T; t++) step();
  const [first, ...others] = contenders.map(({ weights }) => weights()) as [Float32Array, ...Float32Array[]];
  for (const other of others) {
    const worst = other.reduce((most, w, i) => Math.max(most, Math.abs(w - (first[i] as number))), 0);
    if (!(worst < 1e-4)) throw new Error(`bench: expected the same weights, got a difference of ${worst}`);
  }
}

const timed =
  (step: () => void) =>
  (count: number): number => {
    const start = performance.now();
    for (let i = 0; i < count; i++) step();
    return (performance.now() - start) / count;
  };

warmup();
const weights = rand([N, N]).toFloat32Array();
/** Steps of the package where so many percent of the neurons spike. */
const stepAt = (percent: number) => ours(run(percent), weights).step;
await serve(Object.fromEntries(PERCENTS.map((percent) => [`spikes ${percent}`, whole(() => stepAt(percent))])));

const one = run(1);
const contenders = (from: Float32Array) => [ours(one, from), loops(one, from, false), loops(one, from, true)] as const;
// Far from the bounds, which the loops see to between the two changes of a pair.
checkSame(contenders(weights.map((w) => 0.4 + 0.2 * w)));
const [mine, spikes, all] = contenders(weights);
const against = await interleave(
  [steps(OURS, timed(mine.step)), steps("loops", timed(spikes.step)), steps("dense", timed(all.step))],
  ROUNDS,
);
const curve = await interleave(
  PERCENTS.map((percent) => calls(String(percent), stepAt(percent), { repeat: 20 })),
  ROUNDS,
);
report({
  loops: { value: against.ratio("loops", OURS), times: against.medians(OURS, "loops") },
  dense: { value: against.ratio("dense", OURS), times: against.medians(OURS, "dense") },
  ...Object.fromEntries(
    PERCENTS.map((percent) => {
      const name = String(percent);
      return [`spikes ${name}`, { value: 1e6 * (curve.medians(name)[name] as number) }];
    }),
  ),
  ...(await race("plasticity", { stdp: { step: mine.step, rounds: 7 } })),
});
