/** Gradients of random compositions of smooth ops against central differences, in float64. */
import fc from "fast-check";
import { test } from "vitest";
import {
  concat,
  gradcheck,
  layerNorm,
  linear,
  logSoftmax,
  logsumexp,
  matmul,
  type Tensor,
  tensor,
  where,
} from "../../engine/index.ts";
import { holds, place } from "./support.ts";

const [ROWS, COLUMNS] = [2, 3];
const mask = (): Tensor => tensor([0, 1, 1]);
const indices = (): Tensor => tensor([2, 0, 0, 1, 1, 2], { shape: [ROWS, COLUMNS] });

/**
 * Functions of two matrices [2, 3] that give such a matrix again, smooth everywhere and without large values, so that any of
 * them may follow any other. Shapes change on the way.
 */
const OPS: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x, y) => x.add(y).mul(0.5),
  (x, y) => x.sub(y).tanh(),
  (x, y) => x.mul(y.tanh()),
  (x, y) => x.div(y.square().add(1)),
  (x, y) => x.square().add(y.square()).add(1).sqrt(),
  (x) => x.sigmoid(),
  (x) => x.sin(),
  (x) => x.square().add(1).log(),
  (x) => x.tanh().exp(),
  (x, y) => x.atan2(y.square().add(1)),
  (x, y) => x.square().add(1).pow(y.tanh()),
  (x) => logSoftmax(x, 0).mul(0.5),
  (x) => x.softmax(),
  (x) => layerNorm(x, COLUMNS, { eps: 0.1 }),
  (x) => x.add(x.mean({ axis: 1, keepdim: true })).mul(0.5),
  (x, y) => x.mul(y.sum({ axis: 0 }).tanh()),
  (x) => x.sub(logsumexp(x, { axis: 0 })),
  (x, y) => x.mul(y.variance().add(1).rsqrt()),
  (x) => x.cumsum({ axis: 1 }).mul(0.5),
  (x, y) => matmul(matmul(x, y.transpose()), x).tanh(),
  (x, y) => linear(x, matmul(y.transpose(), y)).tanh(),
  (x, y) => concat([x, y]).slice(0, 1, ROWS + 1),
  (x, y) => concat([x.flip(0), y], 1).slice(1, 1, 2 * COLUMNS, 2),
  (x) => x.transpose().reshape([ROWS, COLUMNS]),
  (x) => x.expand([3, ROWS, COLUMNS]).mean({ axis: 0 }),
  (x, y) => x.gather(1, indices()).add(y).mul(0.5),
  (x, y) => x.scatterAdd(1, indices(), y).mul(0.5),
  (x, y) => where(mask(), x, y),
];

/** Which op works on which two of the values so far. */
const step = fc.tuple(fc.nat(OPS.length - 1), fc.nat(), fc.nat());
const leaf = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), {
  minLength: ROWS * COLUMNS,
  maxLength: ROWS * COLUMNS,
});

test("gradients: of random compositions are the difference quotients", () => {
  holds(
    fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 8 }), x: leaf, y: leaf }),
    ({ steps, x, y }) => {
      const compose = (...leaves: Tensor[]): Tensor[] => {
        const values = [...leaves];
        const at = (i: number): Tensor => values[i % values.length] as Tensor;
        for (const [op, i, j] of steps) values.push((OPS[op] as (x: Tensor, y: Tensor) => Tensor)(at(i), at(j)));
        // What comes last is often made of what comes before it.
        return values.slice(-2);
      };
      const inputs = [x, y].map((values) => place({ shape: [ROWS, COLUMNS], values }));
      gradcheck(compose, inputs);
      for (const input of inputs) input.dispose();
    },
    100,
  );
});
