/** Dense products: of two matrices, and those of a linear layer, forward and for each gradient. */
import { linear, matmul, noGrad, parameter, rand, type Tensor, tape, warmup } from "jarvis-snn";
import { part, type Run, serve, time, whole } from "../support/serve.ts";

const values = (...shape: number[]): Tensor => noGrad(() => rand(shape).sub(0.5));

const square = (n: number): Run =>
  whole(() => {
    const [a, b] = [values(n, n), values(n, n)];
    return () => noGrad(() => void matmul(a, b));
  });

interface Layer {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

const forward = ({ rows, inputs, outputs }: Layer): Run =>
  whole(() => {
    const [x, weight, bias] = [values(rows, inputs), values(outputs, inputs), values(outputs)];
    return () => noGrad(() => void linear(x, weight, bias));
  });

/** ∂L/∂x or ∂L/∂weight from ∂L/∂z. */
const gradient = ({ rows, inputs, outputs }: Layer, to: "x" | "weight"): Run =>
  part(() => {
    const operands = { x: values(rows, inputs), weight: values(outputs, inputs) };
    parameter(operands[to]);
    const { x, weight } = operands;
    const dz = values(rows, outputs);
    return () => {
      operands[to].zeroGrad();
      return tape(() => {
        const z = linear(x, weight);
        return time(() => z.backward(dz));
      });
    };
  });

const layer: Layer = { rows: 128, inputs: 784, outputs: 1000 };
const head: Layer = { rows: 3200, inputs: 1000, outputs: 10 };

warmup();
await serve({
  "256 × 256 × 256": square(256),
  "512 × 512 × 512": square(512),
  "layer, forward": forward(layer),
  "layer, to its input": gradient(layer, "x"),
  "layer, to its weight": gradient(layer, "weight"),
  "layer of 6400 rows, forward": forward({ rows: 6400, inputs: 700, outputs: 256 }),
  "layer of one row, forward": forward({ ...layer, rows: 1 }),
  "head, forward": forward(head),
  "head, to its input": gradient(head, "x"),
  "head, to its weight": gradient(head, "weight"),
});
