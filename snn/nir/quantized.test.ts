/** Graphs of networks that `jarvis-snn/quantize` has changed. */
import {
  BatchNorm1d,
  Conv1d,
  Generator,
  LIF,
  Linear,
  noGrad,
  RecurrentLIF,
  rand,
  Sequential,
  type Tensor,
} from "jarvis-snn";
import { fromNIR, toNIR } from "jarvis-snn/nir";
import { prune, quantize } from "jarvis-snn/quantize";
import { expect, test } from "vitest";

const dt = 1e-3;

const values = (t: Tensor): number[] => Array.from(t.toFloat32Array());
const generator = (): Generator => new Generator(1);

const networks = (): (readonly [string, Sequential, readonly number[]])[] => [
  ["a product", new Sequential(new Linear(3, 4, { generator: generator() })), [3]],
  ["a convolution", new Sequential(new Conv1d(2, 3, 2, { generator: generator() })), [2, 5]],
  [
    "a recurrent connection",
    new Sequential(new RecurrentLIF({ features: 4, fire: "gt", threshold: 2.5, generator: generator() })),
    [4],
  ],
  [
    "a convolution with batch normalisation",
    new Sequential(new Conv1d(2, 3, 2, { generator: generator() }), new BatchNorm1d(3)),
    [2, 5],
  ],
  [
    "a network of fromNIR",
    new Sequential(
      fromNIR(
        toNIR(new Sequential(new Linear(3, 4, { generator: generator() }), new LIF({ fire: "gt" })), {
          dt,
          inputShape: [3],
        }).graph,
        { dt },
      ),
    ),
    [3],
  ],
];

for (const [i, [name]] of networks().entries()) {
  for (const change of ["pruned", "of two bits"]) {
    test(`${name}: the weights of a graph are those of the network, ${change}`, () =>
      noGrad(() => {
        const [, network, inputShape] = networks()[i] as ReturnType<typeof networks>[number];
        network.eval();
        const x = rand([12, 2, ...inputShape], { generator: new Generator(2) }).mul(4);
        const before = values(network.forward(x));
        if (change === "pruned") prune(network, { amount: 0.5 });
        else quantize(network, { weights: { bits: 2 } });
        const after = values(network.forward(x));
        expect(after).not.toEqual(before);
        const again = values(fromNIR(toNIR(network, { dt, inputShape }).graph, { dt }).forward(x));
        for (const [j, z] of again.entries()) expect(z).toBeCloseTo(after[j] as number, 4);
      }));
  }
}

test("states on levels are named, also of neurons that feed themselves, and gone with the levels", () => {
  const graph = toNIR(new LIF({ fire: "gt" }), { dt, inputShape: [2] }).graph;
  const network = new Sequential(
    new LIF({ fire: "gt" }),
    new RecurrentLIF({ features: 2, fire: "gt" }),
    fromNIR(graph, { dt }),
  );
  const named = () =>
    toNIR(network, { dt, inputShape: [2] }).losses.map(({ node, property, value }) => [node, property, value]);
  quantize(network, { state: { bits: 2 } });
  expect(named()).toEqual(["0", "1.lif", "2.0"].map((node) => [node, "levels", 4]));
  quantize(network, { state: null });
  expect(named()).toEqual([]);
});
