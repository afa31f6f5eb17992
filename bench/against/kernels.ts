/** Elementwise ops on values in a cache, ops with an operand of one value, random numbers, pools, losses, an optimizer. */
import {
  Adam,
  avgPool2d,
  crossEntropy,
  maxPool2d,
  noGrad,
  parameter,
  poissonEncode,
  rand,
  type Tensor,
  tape,
  tensor,
  warmup,
} from "jarvis-snn";
import { part, type Run, serve, time, whole } from "../support/serve.ts";

/** An op on 2048 values, a few times in a row. */
const small = (op: (x: Tensor, y: Tensor) => Tensor): Run =>
  whole(() => {
    const [x, y] = [rand([2048]), rand([2048])];
    return () =>
      noGrad(() => {
        for (let i = 0; i < 20; i++) op(x, y);
      });
  });

const forward = (shape: readonly number[], op: (x: Tensor) => Tensor): Run =>
  whole(() => {
    const x = rand(shape);
    return () => noGrad(() => void op(x));
  });

/** Of the mean of what an op gives, so that the gradient begins as one number. */
const backward = (shape: readonly number[], makeOp: () => (x: Tensor) => Tensor): Run =>
  part(() => {
    const [x, op] = [parameter(rand(shape)), makeOp()];
    return () => {
      x.zeroGrad();
      return tape(() => {
        const mean = op(x).mean();
        return time(() => mean.backward());
      });
    };
  });

const adam = (): Run =>
  whole(() => {
    const x = parameter(rand([1 << 20]));
    const optimizer = new Adam([x]);
    tape(() => x.mean().backward());
    return () => optimizer.step();
  });

const layer = [128, 1000];
const logits = [3200, 10];
const maps = [64, 16, 64, 64];
const labels = Int32Array.from({ length: 3200 }, (_, i) => i % 10);

const byOneValue = (): ((x: Tensor) => Tensor) => {
  const y = parameter(tensor(0.9));
  return (x) => x.mul(y);
};

warmup();
await serve({
  add: small((x, y) => x.add(y)),
  exp: small((x) => x.exp()),
  log: small((x) => x.log()),
  tanh: small((x) => x.tanh()),
  sigmoid: small((x) => x.sigmoid()),
  uniform: forward([2048], () => rand([2048])),
  "Poisson spikes": forward([128, 32], (x) => poissonEncode(x, { timesteps: 25 })),
  "times a number": forward(layer, (x) => x.mul(0.9)),
  "times one value": whole(() => {
    const [x, y] = [rand(layer), tensor(0.9)];
    return () => noGrad(() => void x.mul(y));
  }),
  "times one value, backward": backward(layer, byOneValue),
  sum: forward(layer, (x) => x.sum()),
  "sum over rows": forward(layer, (x) => x.sum({ axis: 0 })),
  "cross-entropy": forward(logits, (x) => crossEntropy(x, labels)),
  "cross-entropy, backward": backward(logits, () => (x) => crossEntropy(x, labels)),
  Adam: adam(),
  "max pool": forward(maps, (x) => maxPool2d(x, 2)),
  "max pool, backward": backward(maps, () => (x) => maxPool2d(x, 2)),
  "average pool": forward(maps, (x) => avgPool2d(x, 2)),
  "average pool, backward": backward(maps, () => (x) => avgPool2d(x, 2)),
});
