/** The neurons of one layer over 25 steps: forward alone, and backward from the mean of the spikes over time. */
import {
  LIF,
  type LIFOptions,
  linear,
  noGrad,
  parameter,
  rand,
  surrogate,
  type Tensor,
  tape,
  warmup,
} from "jarvis-snn";
import { part, type Run, serve, time } from "../support/serve.ts";

const [T, B] = [25, 128];

/** Backward of spikes to a current that has a gradient but costs next to nothing beyond the neurons: its bias is learned. */
function inputs(n: number): { current: () => Tensor; upstream: Tensor } {
  const x = noGrad(() => rand([T, B, 1]).mul(0.25));
  const weight = rand([n, 1]);
  const bias = parameter(noGrad(() => rand([n]).mul(0.1)));
  return { current: () => linear(x, weight, bias), upstream: rand([B, n]) };
}

const forward = (n: number, options: LIFOptions): Run =>
  part(() => {
    const [lif, { current }] = [new LIF(options), inputs(n)];
    return () =>
      tape(() => {
        const x = current();
        return time(() => lif.forward(x));
      });
  });

/** As in a Sequential, where the membrane takes the place of the current. */
const over = (n: number, options: LIFOptions): Run =>
  part(() => {
    const [lif, { current }] = [new LIF(options) as LIF & { forwardOver(x: Tensor): Tensor }, inputs(n)];
    if (lif.forwardOver === undefined) throw new Error("LIF has no forwardOver");
    return () =>
      tape(() => {
        const x = current();
        return time(() => lif.forwardOver(x));
      });
  });

const backward = (n: number, options: LIFOptions): Run =>
  part(() => {
    const [lif, { current, upstream }] = [new LIF(options), inputs(n)];
    return () =>
      tape(() => {
        const rates = lif.forward(current()).mean({ axis: 0 });
        return time(() => rates.backward(upstream));
      });
  });

const plain: LIFOptions = { beta: 0.95, reset: "subtract" };
const held: LIFOptions = { ...plain, refractorySteps: 2, learnThreshold: true };
const atan: LIFOptions = { ...plain, surrogate: surrogate.atan() };
const sigmoid: LIFOptions = { ...plain, surrogate: surrogate.sigmoid() };

const rows: Record<string, Run> = {};
for (const n of [128, 1000, 4000]) {
  rows[`forward ${B}×${n}`] = forward(n, plain);
  rows[`over its input ${B}×${n}`] = over(n, plain);
  rows[`backward, atan ${B}×${n}`] = backward(n, atan);
  rows[`backward, sigmoid ${B}×${n}`] = backward(n, sigmoid);
}
for (const n of [128, 1000]) {
  rows[`refractory, learned threshold: forward ${B}×${n}`] = forward(n, held);
  rows[`refractory, learned threshold: backward ${B}×${n}`] = backward(n, held);
}

warmup();
await serve(rows);
