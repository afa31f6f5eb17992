/** Graphs of networks changed by `jarvis-snn/quantize`. */
import type { Module, Tensor } from "jarvis-snn";
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  Flatten,
  Generator,
  LIF,
  Linear,
  noGrad,
  RecurrentLIF,
  ReLU,
  rand,
  Sequential,
} from "jarvis-snn";
import { fromNIR, toNIR } from "jarvis-snn/nir";
import { prune, quantize, toSpiking } from "jarvis-snn/quantize";
import { describe, expect, test } from "vitest";

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

describe("networks of toSpiking", () => {
  const cnn = () =>
    new Sequential(
      new Conv2d(1, 3, 3, { padding: 1, generator: generator() }),
      new BatchNorm2d(3),
      new ReLU(),
      new AvgPool2d(2),
      new Flatten(1),
      new Linear(12, 5, { generator: generator() }),
      new ReLU(),
      new Linear(5, 2, { generator: generator() }),
    ).eval();
  const images = (n: number): Tensor => rand([n, 1, 4, 4], { generator: new Generator(3) });

  test("their neurons are IF nodes, and the repeated input is none", () => {
    const spiking = noGrad(() => toSpiking(cnn(), { data: images(8), timesteps: 6 }));
    const { graph, losses } = toNIR(spiking, { dt, inputShape: [1, 4, 4] });
    const types = Object.values(graph.nodes).map(({ type }) => type);
    expect(types.join(" ")).toBe("Conv2d IF AvgPool2d Flatten Affine IF Affine I Input Output");
    const named = losses.map(({ node, layer, property, value }) => `${node} ${layer} ${property} ${value}`);
    expect(named).toEqual(
      ["2", "6"].flatMap((node) =>
        ["initial 0.5", "fire ge", "reset subtract"].map((loss) => `${node} SpikingReLU ${loss}`),
      ),
    );
  });

  test("up to their first reset, from 0, the graph has their spikes", () =>
    noGrad(() => {
      const network = new Sequential(new Linear(3, 4, { generator: generator() }), new ReLU(), new Linear(4, 2));
      const spiking = toSpiking(network, {
        data: rand([9, 3], { generator: new Generator(3) }),
        timesteps: 9,
        initial: 0,
      });
      const { graph, losses } = toNIR(spiking, { dt, inputShape: [3] });
      expect(losses.map(({ property }) => property)).toEqual(["fire", "reset"]);
      const x = rand([9, 1, 3], { generator: new Generator(5) });
      const first = (z: number[][][]): number[] =>
        [0, 1, 2, 3].map((n) => z.findIndex(([step]) => (step as number[])[n] === 1));
      const spikesOf = (model: Sequential): number[][][] =>
        model.modules[2]?.forward((model.modules[1] as Module).forward(x)).toArray() as never;
      const nodes = Object.entries(graph.nodes).filter(([name]) => ["input", "1", "2"].includes(name));
      const short = {
        ...graph,
        nodes: { ...Object.fromEntries(nodes), output: { type: "Output", shape: [4] } },
        edges: [
          ["input", "1"],
          ["1", "2"],
          ["2", "output"],
        ],
      };
      expect(
        first(
          fromNIR(short as never, { dt })
            .forward(x)
            .toArray() as never,
        ),
      ).toEqual(first(spikesOf(spiking)));
      expect(Math.max(...first(spikesOf(spiking)))).toBeGreaterThan(0);
    }));
});
