import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LIF, Tensor } from "jarvis-snn";
import { Adam, Generator, noGrad, ones, rand, record, Stream, surrogate, tape, tensor } from "jarvis-snn";
import { fromNIR, type NIRAffine, type NIRArray, type NIRGraph, type NIRNode, readNIR, toNIR } from "jarvis-snn/nir";
import { describe, expect, test } from "vitest";
import { paperFolder } from "../../test/support/nir.ts";
import { simulate } from "../../test/support/nir-reference.ts";

const dt = 1e-3;

const values = (t: Tensor): number[] => Array.from(t.toFloat32Array());

const array = (data: readonly number[], shape: readonly number[] = [data.length]): NIRArray => ({
  shape,
  data: Float64Array.from(data),
});

const same = (value: number, ...shape: number[]): NIRArray =>
  array(new Array(shape.reduce((a, b) => a * b, 1)).fill(value), shape);

/** Random arrays. */
class Draw {
  readonly generator: Generator;

  constructor(seed: number) {
    this.generator = new Generator(seed);
  }

  array(low: number, high: number, ...shape: number[]): NIRArray {
    const t = rand(shape, { generator: this.generator });
    return { shape, data: t.toFloat32Array().map((x) => low + (high - low) * x) };
  }

  int(low: number, high: number): number {
    return low + Math.floor((high - low + 0.999) * rand([], { generator: this.generator }).item());
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)] as T;
  }
}

const input = (...shape: number[]): NIRNode => ({ type: "Input", shape });
const output = (...shape: number[]): NIRNode => ({ type: "Output", shape });

/** A chain of nodes. */
function chain(nodes: Record<string, NIRNode>): NIRGraph {
  const names = Object.keys(nodes);
  return { type: "NIRGraph", nodes, edges: names.slice(1).map((name, i) => [names[i] as string, name] as const) };
}

const lif = (n: number, threshold = 0.5): NIRNode => ({
  type: "LIF",
  tau: same(0.01, n),
  r: same(10, n),
  v_leak: same(0, n),
  v_threshold: same(threshold, n),
  v_reset: same(0, n),
});

/** Neurons of a shape, with parameters for each or one for all. */
function neuron(draw: Draw, type: string, shape: readonly number[]): NIRNode {
  const of = (low: number, high: number): NIRArray =>
    draw.int(0, 1) === 0 ? same(draw.array(low, high).data[0] as number, ...shape) : draw.array(low, high, ...shape);
  const threshold = { v_threshold: of(0.2, 0.6), v_reset: of(-0.2, 0.1) };
  const tau = () => of(2 * dt, 20 * dt);
  const node = {
    I: { r: of(50, 200) },
    IF: { r: of(200, 500), ...threshold },
    LI: { tau: tau(), r: of(2, 9), v_leak: of(-0.2, 0.2) },
    LIF: { tau: tau(), r: of(2, 9), v_leak: of(-0.2, 0.2), ...threshold },
    CubaLI: { tau_syn: tau(), tau_mem: tau(), r: of(2, 9), v_leak: of(-0.2, 0.2), w_in: of(1, 9) },
    CubaLIF: { tau_syn: tau(), tau_mem: tau(), r: of(2, 9), v_leak: of(-0.2, 0.2), w_in: of(1, 9), ...threshold },
  }[type];
  return { type, ...node } as NIRNode;
}

const NEURONS = ["I", "IF", "LI", "LIF", "CubaLI", "CubaLIF"];

/** A random node for a shape, and the shape of its output. */
function drawn(draw: Draw, shape: readonly number[]): { node: NIRNode; shape: readonly number[] } {
  const kept = (node: NIRNode) => ({ node, shape });
  const options: (() => { node: NIRNode; shape: readonly number[] })[] = [
    ...NEURONS.map((type) => () => kept(neuron(draw, type, shape))),
    () => kept({ type: "Scale", scale: draw.array(-1, 2, ...shape) }),
    () => kept({ type: "Threshold", threshold: draw.array(-0.5, 0.5, ...shape) }),
    () => kept({ type: "Delay", delay: { shape, data: draw.array(0, 3.4, ...shape).data.map((x) => x * dt) } }),
  ];
  const [first = 1] = shape;
  if (shape.length === 1) {
    const out = draw.int(1, 5);
    options.push(
      () => ({ node: { type: "Linear", weight: draw.array(-1, 1, out, first) }, shape: [out] }),
      () => ({
        node: { type: "Affine", weight: draw.array(-1, 1, out, first), bias: draw.array(-1, 1, out) },
        shape: [out],
      }),
    );
  }
  const padding = draw.pick([0, 1, "same", "valid"] as const);
  const stride = padding === "same" ? 1 : draw.int(1, 2);
  const dilation = draw.int(1, 2);
  const all = { stride, dilation, padding, groups: first, bias: draw.array(-1, 1, 2 * first), input_shape: null };
  const behind = (n: number, k: number): number =>
    padding === "same"
      ? n
      : Math.floor((n + 2 * (padding === "valid" ? 0 : padding) - dilation * (k - 1) - 1) / stride) + 1;
  const [height = 0, width = 0] = shape.slice(1);
  if (shape.length === 2 && height >= 5) {
    options.push(() => ({
      node: { type: "Conv1d", weight: draw.array(-1, 1, 2 * first, 1, 2), ...all },
      shape: [2 * first, behind(height, 2)],
    }));
  }
  if (shape.length === 3 && Math.min(height, width) >= 5) {
    options.push(
      () => ({
        node: { type: "Conv2d", weight: draw.array(-1, 1, 2 * first, 1, 2, 3), ...all },
        shape: [2 * first, behind(height, 2), behind(width, 3)],
      }),
      () => ({
        node: {
          type: draw.pick(["SumPool2d", "AvgPool2d"] as const),
          kernel_size: [3, 2],
          stride: [2, 1],
          padding: [1, 0],
        },
        shape: [first, Math.floor((height - 1) / 2) + 1, width - 1],
      }),
    );
  }
  if (shape.length > 1) {
    options.push(() => ({
      node: { type: "Flatten", start_dim: -2, end_dim: -1, input_shape: null },
      shape: [...shape.slice(0, -2), shape.slice(-2).reduce((a, b) => a * b)],
    }));
  }
  return draw.pick(options)();
}

/** Compares the network of a graph with the equations in float64. */
function compare(graph: NIRGraph, x: Tensor, tolerance = 2e-5): void {
  const network = fromNIR(graph, { dt });
  const z = network.forward(x);
  const stream = new Stream(network, x.shape.slice(1));
  expect(x.unbind(0).flatMap((step) => [...stream.step(step.toFloat32Array())])).toEqual(values(z));
  stream.reset();
  const [first] = x.unbind(0) as [Tensor];
  expect([...stream.step(first.toFloat32Array())]).toEqual(values(z.select(0, 0)));
  stream.dispose();
  for (let b = 0; b < (x.shape[1] as number); b++) {
    const steps = x.unbind(0).map((step) => values(step.select(0, b)));
    const expected = simulate(graph, steps, dt).outputs.get("output")?.flat() as number[];
    const got = values(z.select(1, b));
    expect(got.length).toBe(expected.length);
    const off = got.map((value, i) => Math.abs(value - (expected[i] as number)));
    const scale = Math.max(1, ...expected.map(Math.abs));
    expect(Math.max(...off) / scale).toBeLessThan(tolerance);
  }
}

describe("fromNIR", () => {
  for (let seed = 0; seed < 60; seed++) {
    test(`a random graph gives what the equations give, seed ${seed}`, () =>
      noGrad(() => {
        const draw = new Draw(seed);
        const start = draw.pick([[4], [2, 6], [2, 6, 5]]);
        const nodes: Record<string, NIRNode> = { input: input(...start) };
        let shape: readonly number[] = start;
        for (let i = draw.int(1, 5); i > 0; i--) {
          const { node, shape: next } = drawn(draw, shape);
          nodes[`${node.type}${i}`] = node;
          shape = next;
        }
        nodes.output = output(...shape);
        const x = rand([8, 2, ...start], { generator: draw.generator })
          .sub(0.3)
          .mul(2);
        compare(chain(nodes), x);
      }));
  }

  test("one node of each primitive gives what the equations give", () =>
    noGrad(() => {
      const draw = new Draw(7);
      for (const type of NEURONS) {
        for (const shape of [[3], [2, 3, 2]]) {
          const graph = chain({ input: input(...shape), n: neuron(draw, type, shape), output: output(...shape) });
          compare(graph, rand([20, 2, ...shape], { generator: draw.generator }).mul(2));
        }
      }
    }));

  test("parameters that are numbers or broadcast over maps are those of each neuron", () =>
    noGrad(() => {
      const of = (threshold: NIRArray): number[] => {
        const node = { ...lif(1), v_threshold: threshold } as NIRNode;
        const x = rand([9, 1, 2, 3], { generator: new Generator(1) });
        return values(fromNIR(chain({ a: input(2, 3), n: node, b: output(2, 3) }), { dt }).forward(x));
      };
      expect(of(array([0.5], []))).toEqual(of(same(0.5, 2, 3)));
      expect(of(array([0.5, 0.9], [2, 1]))).toEqual(of(array([0.5, 0.5, 0.5, 0.9, 0.9, 0.9], [2, 3])));
      expect(of(array([0.5, 0.9, 0.7]))).toEqual(of(array([0.5, 0.9, 0.7, 0.5, 0.9, 0.7], [2, 3])));
    }));

  test("sums under windows of spikes are whole numbers, whatever the window", () =>
    noGrad(() => {
      for (const k of [3, 5, 7]) {
        const pool = { type: "SumPool2d", kernel_size: k, stride: k, padding: 0 } as const;
        const x = rand([3, 1, 2, 21, 21], { generator: new Generator(k) }).gt(0.4);
        const n = 21 / k - (21 % k) / k;
        const z = fromNIR(chain({ a: input(2, 21, 21), p: pool, b: output(2, n, n) }), { dt }).forward(x);
        expect(values(z).every(Number.isInteger)).toBe(true);
      }
    }));

  test("several edges add up, in one order however they are listed", () =>
    noGrad(() => {
      const nodes = {
        in: input(3),
        a: { type: "Linear", weight: new Draw(1).array(-1, 1, 2, 3) } as NIRNode,
        b: { type: "Linear", weight: new Draw(2).array(-1, 1, 2, 3) } as NIRNode,
        c: { type: "Linear", weight: new Draw(3).array(-1, 1, 2, 3) } as NIRNode,
        sum: { type: "Scale", scale: same(1, 2) } as NIRNode,
        out: output(2),
      };
      const edges = [
        ["in", "a"],
        ["in", "b"],
        ["in", "c"],
        ["a", "sum"],
        ["b", "sum"],
        ["c", "sum"],
        ["sum", "out"],
      ] as const;
      const x = rand([5, 2, 3], { generator: new Generator(0) });
      const z = values(fromNIR({ type: "NIRGraph", nodes, edges }, { dt }).forward(x));
      const back = Object.fromEntries(Object.entries(nodes).reverse());
      const again = fromNIR({ type: "NIRGraph", nodes: back, edges: [...edges, ...edges].reverse() }, { dt });
      expect(values(again.forward(x))).toEqual(z);
      const [a, b, c] = [nodes.a, nodes.b, nodes.c].map((node) =>
        values(fromNIR(chain({ in: input(3), node, out: output(2) }), { dt }).forward(x)),
      ) as [number[], number[], number[]];
      expect(z).toEqual(a.map((v, i) => Math.fround(Math.fround(v + (b[i] as number)) + (c[i] as number))));
    }));
});

describe("fromNIR: loops", () => {
  const w = (seed: number, n = 3): NIRNode => ({ type: "Linear", weight: new Draw(seed).array(-2, 2, n, n) });
  const x = () => rand([20, 2, 3], { generator: new Generator(4) });

  test("the last neuron before a loop closes is read a step late, in whatever order the file lists it", () =>
    noGrad(() => {
      const nodes = { input: input(3), a: lif(3, 0.4), b: lif(3, 0.3), wb: w(1), wab: w(2), output: output(3) };
      const edges = [
        ["input", "a"],
        ["a", "wab"],
        ["wab", "b"],
        ["b", "wb"],
        ["wb", "a"],
        ["b", "output"],
      ] as const;
      const network = fromNIR({ type: "NIRGraph", nodes, edges }, { dt });
      const z = values(network.forward(x()));
      const back = Object.fromEntries(Object.entries(nodes).reverse());
      const again = fromNIR({ type: "NIRGraph", nodes: back, edges: [...edges].reverse() }, { dt });
      expect(values(again.forward(x()))).toEqual(z);
      // By hand: a receives the spikes that b sent in the previous step, b those that a sends in this one.
      const parts = Object.fromEntries(network.namedModules()) as unknown as Record<string, LIF>;
      const [a, b, wab, wb] = ["a", "b", "wab", "wb"].map((name) => parts[name]) as [LIF, LIF, LIF, LIF];
      let [va, vb, late] = [
        a.initialState([2, 3]),
        b.initialState([2, 3]),
        tensor(new Array(6).fill(0), { shape: [2, 3] }),
      ];
      const steps = x()
        .unbind(0)
        .flatMap((now) => {
          const [sa, nextA] = a.step(now.add(wb.forward(late)), va);
          const [sb, nextB] = b.step(wab.forward(sa), vb);
          [va, vb, late] = [nextA, nextB, sb];
          return values(sb);
        });
      expect(z).toEqual(steps);
      expect(z).toContain(1);
    }));

  test("every form of a loop gives what the equations give, forward and step by step", () =>
    noGrad(() => {
      const draw = new Draw(3);
      const scale: NIRNode = { type: "Scale", scale: draw.array(-1, 1, 3) };
      const affine: NIRNode = { type: "Affine", weight: draw.array(-1, 1, 3, 3), bias: draw.array(0, 0.5, 3) };
      const delay: NIRNode = { type: "Delay", delay: array([0, dt, 2 * dt]) };
      const loops: Record<string, NIRNode>[] = [
        { w: affine },
        { w: w(5) },
        { w: scale },
        {},
        { w: affine, more: scale },
        { w: affine, late: delay },
        { w: affine, other: neuron(draw, "LI", [3]) },
      ];
      for (const way of loops) {
        for (const type of ["LIF", "IF", "CubaLIF"]) {
          const names = Object.keys(way);
          const nodes = { input: input(3), n: neuron(draw, type, [3]), ...way, output: output(3) };
          const path = ["n", ...names, "n"];
          const edges = [
            ["input", "n"],
            ["n", "output"],
          ].concat(path.slice(1).map((to, i) => [path[i] as string, to]));
          const graph = { type: "NIRGraph", nodes, edges: edges as [string, string][] } as const;
          // The oracle cuts after each neuron, fromNIR after the last one.
          if (!("other" in way)) compare(graph, x());
          else expect(fromNIR(graph, { dt }).forward(x()).shape).toEqual([20, 2, 3]);
        }
      }
    }));

  test("a loop without neurons costs a step at the edge that closes it", () =>
    noGrad(() => {
      const nodes = {
        input: input(1),
        a: { type: "Scale", scale: same(1, 1) },
        b: { type: "Scale", scale: same(0.5, 1) },
      };
      const graph = {
        type: "NIRGraph",
        nodes: { ...nodes, output: output(1) },
        edges: [
          ["input", "a"],
          ["a", "b"],
          ["b", "a"],
          ["a", "output"],
        ],
      } as NIRGraph;
      // a[t] = x[t] + a[t−1] / 2
      expect(values(fromNIR(graph, { dt }).forward(tensor([1, 0, 0, 1], { shape: [4, 1, 1] })))).toEqual([
        1, 0.5, 0.25, 1.125,
      ]);
    }));

  test("neurons with a connection of their own run as one op, and gradients come to all weights of loops", () => {
    const nodes = { input: input(3), n: lif(3, 0.4), w: w(1), output: output(3) };
    const edges = [
      ["input", "n"],
      ["n", "w"],
      ["w", "n"],
      ["n", "output"],
    ] as const;
    const direct = fromNIR({ type: "NIRGraph", nodes, edges }, { dt });
    // With a node in between, the loop is a general one with the same numbers.
    const longer = fromNIR(
      {
        type: "NIRGraph",
        nodes: { ...nodes, one: { type: "Scale", scale: same(1, 3) } },
        edges: [...edges.filter(([from]) => from !== "w"), ["w", "one"], ["one", "n"]],
      },
      { dt },
    );
    const gradients = [direct, longer].map((network) => {
      tape(() => network.forward(x()).sum().backward());
      return values(network.namedParameters().find(([name]) => name === "w.weight")?.[1].grad as Tensor);
    });
    expect(gradients[0]?.some((g) => g !== 0)).toBe(true);
    for (const [i, g] of (gradients[0] as number[]).entries()) expect(gradients[1]?.[i]).toBeCloseTo(g, 4);
    expect(direct.namedModules().map(([name, module]) => `${name}:${module.constructor.name}`)).toEqual([
      ":NIRModule",
      "n:Loop",
      "w:Linear",
    ]);
  });
});

describe("fromNIR: the module", () => {
  const graph = chain({
    input: input(4),
    fc1: { type: "Affine", weight: new Draw(1).array(-1, 2, 3, 4), bias: same(0, 3) },
    "lif1.lif": lif(3, 0.4),
    fc2: { type: "Linear", weight: new Draw(2).array(-1, 2, 2, 3) },
    li: { type: "LI", tau: same(0.01, 2), r: same(1, 2), v_leak: same(0, 2) },
    output: output(2),
  });

  test("names are those of the nodes, in a state dict and in a recording, and training writes to the weights", () => {
    const network = fromNIR(graph, { dt, surrogate: surrogate.atan() });
    expect(network.namedParameters().map(([name]) => name)).toEqual(["fc1.weight", "fc1.bias", "fc2.weight"]);
    const x = rand([6, 2, 4], { generator: new Generator(1) });
    const recording = record(network, x);
    expect(recording.order).toEqual(["lif1.lif", "li"]);
    expect(recording.layers["lif1.lif"]?.membrane?.shape).toEqual([6, 2, 3]);
    const before = values(network.parameters()[0] as Tensor);
    const optimizer = new Adam(network.parameters(), { lr: 0.1 });
    const losses = Array.from({ length: 20 }, () =>
      tape(() => {
        const loss = network.forward(x).sub(0.5).square().mean();
        loss.backward();
        optimizer.step();
        network.zeroGrad();
        return loss.item();
      }),
    );
    expect(losses[19]).toBeLessThan(losses[0] as number);
    expect(values(network.parameters()[0] as Tensor)).not.toEqual(before);
    optimizer.dispose();
  });

  test("the default generator does not move", () => {
    const g = new Generator(1);
    fromNIR(graph, { dt });
    expect(g.getState()).toEqual(new Generator(1).getState());
  });

  test("a state goes in and comes out; another shape is an error", () =>
    noGrad(() => {
      const network = fromNIR(graph, { dt });
      const state = network.initialState([2, 4]);
      expect(Object.keys(state.nodes)).toEqual(["lif1.lif", "li"]);
      const x = rand([2, 4], { generator: new Generator(1) });
      const [, next] = network.step(x, state);
      expect(() => network.step(x, { nodes: {}, late: {} })).toThrow(TypeError);
      expect(() => network.step(rand([3, 4]), next)).toThrow("expected a state v of shape [3, 3], got [2, 3]");
      expect(() => network.forward(rand([5, 2, 3]))).toThrow(
        "NIRModule: expected x [T, B, 4], as the Input says, got [5, 2, 3]",
      );
      expect(() => network.initialState([3])).toThrow("expected x [B, 4]");
      expect(network.forward(rand([5, 4])).shape).toEqual([5, 2]);
    }));

  test("a delay is rounded to the nearest step", () =>
    noGrad(() => {
      const delays = array([0, 0.4 * dt, 0.5 * dt, 1.49 * dt, Math.fround(2e-3)]);
      const network = fromNIR(chain({ a: input(5), d: { type: "Delay", delay: delays }, b: output(5) }), { dt });
      const x = tensor([1, 1, 1, 1, 1, ...new Array(15).fill(0)], { shape: [4, 1, 5] });
      expect(values(network.forward(x))).toEqual([1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    }));

  test("a time constant of dt that float32 has rounded down is one of dt", () =>
    noGrad(() => {
      const node = { ...lif(1), tau: { shape: [1], data: Float32Array.of(1e-4) }, r: same(1, 1) } as NIRNode;
      const network = fromNIR(chain({ a: input(1), n: node, b: output(1) }), { dt: 1e-4 });
      const [, n] = network.namedModules().find(([name]) => name === "n") as [string, LIF];
      expect(n.beta.item()).toBe(0);
    }));
});

describe("fromNIR: weights with a matrix for each place", () => {
  const x = () => rand([6, 2, 2, 3, 4], { generator: new Generator(7) });
  const affine = (bias: readonly number[]): NIRNode => ({
    type: "Affine",
    weight: new Draw(8).array(-1, 1, 2, 3, 5, 4),
    bias: new Draw(9).array(-1, 1, ...bias),
  });
  const graphOf = (node: NIRNode): NIRGraph => chain({ a: input(2, 3, 4), w: node, b: output(2, 3, 5) });

  for (const bias of [[2, 3, 5], [5], [3, 1], null]) {
    test(`bias ${JSON.stringify(bias)}: forward, steps and a Stream give Σ W·x + b`, () =>
      noGrad(() => {
        const { weight } = affine([5]) as NIRAffine;
        const node: NIRNode = bias === null ? { type: "Linear", weight } : affine(bias);
        const network = fromNIR(graphOf(node), { dt });
        const z = network.forward(x());
        expect(z.shape).toEqual([6, 2, 2, 3, 5]);
        const from = values(x());
        const b = bias === null ? null : (node as NIRAffine).bias;
        const biasAt = (place: number, o: number): number => {
          if (b === null) return 0;
          if (b.shape.length === 3) return b.data[place * 5 + o] as number;
          return b.data[b.shape.length === 1 ? o : place % 3] as number;
        };
        const expected = values(z).map((_, i) => {
          const [row, o] = [Math.floor(i / 5), i % 5];
          const place = row % 6;
          return [0, 1, 2, 3].reduce(
            (sum, k) => sum + (weight.data[(place * 5 + o) * 4 + k] as number) * (from[row * 4 + k] as number),
            biasAt(place, o),
          );
        });
        values(z).forEach((got, i) => expect(got).toBeCloseTo(expected[i] as number, 5));
        const stream = new Stream(network, [2, 2, 3, 4]);
        const steps = () =>
          x()
            .unbind(0)
            .flatMap((each) => Array.from(stream.step(each.toFloat32Array())));
        expect(steps()).toEqual(values(z));
        // Written weights count in the next step.
        const [[, t] = []] = network.namedParameters();
        (t as Tensor).copyFrom((t as Tensor).mul(2));
        expect(steps()).toEqual(values(network.forward(x())));
        expect(steps()).not.toEqual(values(z));
        stream.dispose();
        const { graph } = toNIR(network, { dt });
        expect(values(fromNIR(graph, { dt }).forward(x()))).toEqual(values(network.forward(x())));
        expect(graph.nodes.w?.type).toBe(node.type);
      }));
  }

  test("gradients are those of the matrices one by one", () => {
    const network = fromNIR(graphOf(affine([2, 3, 5])), { dt });
    tape(() => {
      const given = x();
      given.requiresGrad = true;
      const weight = rand([6, 2, 2, 3, 5], { generator: new Generator(1) });
      network.forward(given).mul(weight).sum().backward();
      const [[, w] = [], [, b] = []] = network.namedParameters() as [string, Tensor][];
      const one = (at: number[]): { x: Tensor; dz: Tensor } => {
        const of = (t: Tensor): Tensor =>
          t
            .select(2, at[0] as number)
            .select(2, at[1] as number)
            .reshape([12, -1]);
        return { x: of(given), dz: of(weight) };
      };
      for (const at of [
        [0, 0],
        [1, 2],
      ]) {
        const { x: rows, dz } = one(at);
        const place = 3 * (at[0] as number) + (at[1] as number);
        const expected = values(dz.transpose(0, 1).matmul(rows));
        values(w?.grad as Tensor)
          .slice(place * 20, place * 20 + 20)
          .forEach((got, i) => expect(got).toBeCloseTo(expected[i] as number, 4));
        const sums = values(dz.sum({ axis: 0 }));
        values(b?.grad as Tensor)
          .slice(place * 5, place * 5 + 5)
          .forEach((got, i) => expect(got).toBeCloseTo(sums[i] as number, 4));
      }
    });
  });

  test("in a loop they run node by node, as outside of loops", () =>
    noGrad(() => {
      const n = { type: "IF", r: same(1 / dt, 1), v_threshold: same(1, 1), v_reset: same(0, 1) } as NIRNode;
      const graph: NIRGraph = {
        type: "NIRGraph",
        nodes: {
          input: input(2, 1),
          n,
          w: { type: "Linear", weight: array([2, 0], [2, 1, 1]) },
          output: output(2, 1),
        },
        edges: [
          ["input", "n"],
          ["n", "w"],
          ["w", "n"],
          ["n", "output"],
        ],
      };
      const spikes = fromNIR(graph, { dt }).forward(tensor([2, 2, 0, 0, 0, 0], { shape: [3, 1, 2, 1] }));
      expect(values(spikes)).toEqual([1, 1, 1, 0, 1, 0]);
    }));
});

describe("fromNIR: SpikingJelly's steps", () => {
  const node = (v_reset: NIRArray): NIRNode => ({ ...lif(2, 0.5), v_reset, v_leak: v_reset }) as NIRNode;
  const graph = (neurons: NIRNode): NIRGraph => chain({ a: input(2), n: neurons, b: output(2) });
  const steps = (neurons: NIRNode) => fromNIR(graph(neurons), { dt, numerics: "spikingjelly" });

  test("v starts from v_reset, also of each neuron, in steps, a Stream and loops", () =>
    noGrad(() => {
      const network = steps(node(array([0.25, -1])));
      const { nodes } = network.initialState([1, 2]);
      expect(values((nodes.n as { v: Tensor }).v)).toEqual([0.25, -1]);
      const x = rand([9, 1, 2], { generator: new Generator(3) });
      const z = values(network.forward(x));
      const stream = new Stream(network, [1, 2]);
      const streamed = () => x.unbind(0).flatMap((each) => Array.from(stream.step(each.toFloat32Array())));
      expect(streamed()).toEqual(z);
      stream.reset();
      expect(streamed()).toEqual(z);
      stream.dispose();
      const w: NIRNode = { type: "Linear", weight: same(0, 2, 2) };
      const looped: NIRGraph = {
        ...graph(node(array([0.25, -1]))),
        nodes: { ...graph(node(array([0.25, -1]))).nodes, w },
        edges: [
          ["a", "n"],
          ["n", "w"],
          ["w", "n"],
          ["n", "b"],
        ],
      };
      expect(values(fromNIR(looped, { dt, numerics: "spikingjelly" }).forward(x))).toEqual(z);
      expect(values(fromNIR(looped, { dt }).forward(x))).not.toEqual(z);
    }));

  test("a neuron fires at its threshold", () =>
    noGrad(() => {
      const fire: NIRNode = { type: "IF", r: same(1 / dt, 2), v_threshold: same(1, 2), v_reset: same(0, 2) };
      const x = tensor([1, 0.5, 0, 0.5], { shape: [2, 1, 2] });
      expect(values(steps(fire).forward(x))).toEqual([1, 0, 0, 1]);
      expect(values(fromNIR(graph(fire), { dt }).forward(x))).toEqual([0, 0, 0, 0]);
    }));

  test("synaptic neurons start from v_reset, too", () => {
    const cuba: NIRNode = {
      ...{ type: "CubaLIF", tau_syn: same(0.01, 2), tau_mem: same(0.01, 2), r: same(1, 2), v_leak: same(0, 2) },
      ...{ w_in: same(1, 2), v_threshold: same(1, 2), v_reset: array([-0.5, 0.5]) },
    };
    const { nodes } = steps(cuba).initialState([1, 2]);
    expect(values((nodes.n as { v: Tensor }).v)).toEqual([-0.5, 0.5]);
    expect(values((nodes.n as { i: Tensor }).i)).toEqual([0, 0]);
  });

  test("toNIR gives the nodes back, and names the steps", () => {
    const given = graph(node(array([0.25, -1])));
    const { graph: after, losses } = toNIR(steps(node(array([0.25, -1]))), { dt, inputShape: [2] });
    expect(after).toEqual(given);
    expect(losses.map(({ property, value }) => [property, value])).toEqual([
      ["resetValue", "not 0"],
      ["detachReset", false],
      ["fire", "ge"],
      ["surrogate", "sigmoid 4"],
    ]);
    const { graph: slow } = toNIR(steps(node(same(0.25, 2))), { dt: 2 * dt, inputShape: [2] });
    const x = rand([9, 1, 2], { generator: new Generator(3) });
    const network = fromNIR(slow, { dt: 2 * dt, numerics: "spikingjelly" });
    expect(values(network.forward(x))).toEqual(values(steps(node(same(0.25, 2))).forward(x)));
  });
});

describe("fromNIR: errors name the node", () => {
  const fc: NIRNode = { type: "Linear", weight: same(1, 2, 3) };
  const nodes = { input: input(3), fc, lif: lif(2), output: output(2) };
  const edges = [
    ["input", "fc"],
    ["fc", "lif"],
    ["lif", "output"],
  ] as const;
  const graph = (more: Record<string, unknown>, also: readonly (readonly [string, string])[] = edges) =>
    ({ type: "NIRGraph", nodes: { ...nodes, ...more }, edges: also }) as NIRGraph;
  const endless: { type: "NIRGraph"; nodes: Record<string, unknown>; edges: unknown[] } = {
    type: "NIRGraph",
    nodes: { input: input(3), output: output(3) },
    edges: [
      ["input", "self"],
      ["self", "output"],
    ],
  };
  endless.nodes.self = endless;

  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["dt above τ", () => fromNIR(graph({}), { dt: 0.1 }), 'node "lif": expected tau of at least dt, 0.1 s, got 0.01 s'],
    ["no dt", () => fromNIR(graph({}), {} as never), "fromNIR: dt must be finite and > 0, got NaN"],
    ["an unknown type", () => fromNIR(graph({ fc: { type: "Rate" } }), { dt }), '"CubaLI" or "CubaLIF", got "Rate"'],
    [
      "a node that nothing connects",
      () => fromNIR(graph({ a: lif(1), b: lif(2) }), { dt }),
      'node "a": expected edges that lead from the Input to the Output, got none up to the node',
    ],
    [
      "a node that leads nowhere",
      () => fromNIR(graph({ probe: lif(2) }, [...edges, ["fc", "probe"]]), { dt }),
      'node "probe": expected edges that lead from the Input to the Output, got none from the node on',
    ],
    [
      "an island",
      () => fromNIR(graph({ a: lif(2), b: lif(2) }, [...edges, ["a", "b"], ["b", "a"]]), { dt }),
      'node "a": expected edges that lead from the Input to the Output, got none up to the node',
    ],
    [
      "an edge to nowhere",
      () => fromNIR(graph({}, [...edges, ["fc", "lost"]]), { dt }),
      'fromNIR: expected graph/edges between ["input", "fc", "lif", "output"], got "lost"',
    ],
    [
      "weights of another size",
      () => fromNIR(graph({ input: input(4) }), { dt }),
      'node "fc": expected weight [out, 4], got [2, 3]',
    ],
    [
      "an Output of another size",
      () => fromNIR(graph({ output: output(3) }), { dt }),
      'node "output": expected values [3], as its shape says, got [2]',
    ],
    [
      "neurons of another size",
      () => fromNIR(graph({ lif: lif(5) }), { dt }),
      'node "lif": expected tau that fits values [2], got [5]',
    ],
    [
      "values that do not fill a shape",
      () => fromNIR(graph({ fc: { type: "Linear", weight: { shape: [2, 3], data: new Float32Array(5) } } }), { dt }),
      "expected graph/nodes/fc/weight with 6 values on at most 32 axes, got 5, [2, 3]",
    ],
    [
      "values beyond float32",
      () => fromNIR(graph({ fc: { type: "Linear", weight: same(1e300, 2, 3) } }), { dt }),
      'node "fc": expected weight finite in float32, got 1e+300 at 0',
    ],
    [
      "a field that is missing",
      () => fromNIR(graph({ lif: { type: "LIF", tau: same(1, 2) } }), { dt }),
      "expected graph/nodes/lif/r as an array { shape, data }, got undefined",
    ],
    [
      "a graph in itself",
      () => fromNIR(endless as never, { dt }),
      "expected at most 31 graphs in each other, got …/self/nodes/self/nodes/self/",
    ],
    [
      "an Input that nothing reads",
      () => fromNIR(graph({ second: input(3) }), { dt }),
      'node "second": expected edges that lead from the Input to the Output, got none from the node on',
    ],
    [
      "an Input with an edge to it",
      () => fromNIR(graph({}, [...edges, ["fc", "input"]]), { dt }),
      'node "input": expected edges that lead from the Input to the Output, got others',
    ],
    ["no Input", () => fromNIR(graph({ input: lif(3) }), { dt }), "fromNIR: expected one node of type Input, got []"],
    [
      "steps of another package",
      () => fromNIR(graph({}), { dt, numerics: "norse" as never }),
      'fromNIR: expected numerics "nir" or "spikingjelly", got "norse"',
    ],
    [
      "matrices for other places",
      () => fromNIR(graph({ input: input(4, 3), fc: { type: "Linear", weight: same(1, 2, 2, 3) } }), { dt }),
      'node "fc": expected weight [4, out, 3], got [2, 2, 3]',
    ],
    [
      "matrices without a row",
      () => fromNIR(graph({ input: input(4, 3), fc: { type: "Linear", weight: same(1, 4, 0, 3) } }), { dt }),
      'node "fc": expected weight [4, out, 3], got [4, 0, 3]',
    ],
    [
      "biases for other places",
      () =>
        fromNIR(graph({ input: input(4, 3), fc: { type: "Affine", weight: same(1, 4, 2, 3), bias: same(1, 3, 2) } }), {
          dt,
        }),
      'node "fc": expected bias that fits values [4, 2], got [3, 2]',
    ],
    [
      "no output in a subgraph",
      () => fromNIR(graph({ lif: { type: "NIRGraph", nodes: { input: input(2) }, edges: [] } }), { dt }),
      'node "lif": expected one node of type Output, got []',
    ],
    [
      "two nodes of a name",
      () => fromNIR(graph({ lif: chain({ input: input(2), n: lif(2), output: output(2) }), "lif.n": lif(2) }), { dt }),
      'two nodes "lif.n"',
    ],
    [
      "edges of other shapes into a node",
      () =>
        fromNIR(graph({ s: { type: "Scale", scale: same(1, 3) } }, [...edges, ["input", "s"], ["s", "lif"]]), { dt }),
      'node "lif": expected values [2], got [3]',
    ],
    [
      "an input_shape of another size",
      () =>
        fromNIR(
          chain({
            a: input(1, 6, 6),
            c: {
              type: "Conv2d",
              weight: same(1, 1, 1, 3, 3),
              bias: same(0, 1),
              stride: 1,
              padding: 0,
              dilation: 1,
              groups: 1,
              input_shape: [5, 5],
            },
            b: output(1, 4, 4),
          }),
          { dt },
        ),
      'node "c": expected maps [1, 5, 5], got [1, 6, 6]',
    ],
    [
      "a window that does not fit",
      () =>
        fromNIR(
          chain({
            a: input(1, 2, 6),
            c: { type: "SumPool2d", kernel_size: 3, stride: 1, padding: 0 },
            b: output(1, 1, 4),
          }),
          { dt },
        ),
      'node "c": expected at least 3 values under a window',
    ],
    [
      "a stride beside same",
      () =>
        fromNIR(
          chain({
            a: input(1, 6),
            c: {
              type: "Conv1d",
              weight: same(1, 1, 1, 3),
              bias: same(0, 1),
              stride: 2,
              padding: "same",
              dilation: 1,
              groups: 1,
              input_shape: null,
            },
            b: output(1, 3),
          }),
          { dt },
        ),
      'node "c": expected stride 1 with padding "same"',
    ],
    [
      "a batch among the axes of Flatten",
      () =>
        fromNIR(
          chain({ a: input(2, 3), f: { type: "Flatten", start_dim: 1, end_dim: 2, input_shape: null }, b: output(6) }),
          { dt },
        ),
      'node "f": ',
    ],
    ["no graph", () => fromNIR(7 as never, { dt }), "fromNIR: expected graph as an object, got 7"],
    [
      "an edge of three",
      () => fromNIR(graph({}, [["a", "b", "c"]] as never), { dt }),
      'fromNIR: expected graph/edges as pairs of names, got ["a", "b", "c"]',
    ],
  ];
  for (const [name, run, message] of cases) {
    test(name, () => {
      expect(run).toThrow(message);
      expect(run).toThrow(/^fromNIR: /);
    });
  }
});

const FILES = [
  "braille_noDelay_bias_zero",
  "braille_noDelay_bias_zero_subgraph",
  "braille_noDelay_noBias_subtract",
  "braille_noDelay_noBias_subtract_subgraph",
  "cnn_sinabs",
  "lif_norse",
  "lif_rockpool",
  "two_lif_neurons",
];

describe("fromNIR: the files of the paper, which are read where ../shared/goldens/nir/paper or $GOLDENS has them", () => {
  for (const file of FILES) {
    test.runIf(paperFolder !== undefined)(`${file} runs`, async () => {
      const graph = await readNIR(readFileSync(join(paperFolder as string, `${file}.nir`)));
      // sinabs uses steps as the unit of time.
      const network = fromNIR(graph, { dt: file === "cnn_sinabs" ? 1 : 1e-4 });
      const [shape] = Object.values(graph.nodes).flatMap((node) => (node.type === "Input" ? [node.shape] : []));
      const x = rand([50, 2, ...(shape as readonly number[])], { generator: new Generator(1) }).mul(3);
      const z = noGrad(() => network.forward(x));
      expect(z.shape.slice(0, 2)).toEqual([50, 2]);
      expect(z.size / 100).toBe({ braille: 7, cnn: 10, lif: 1, two: 1 }[file.split("_")[0] as "cnn"]);
      expect(values(z).every((s) => s === 0 || s === 1)).toBe(true);
      const count = values(z).filter((s) => s === 1).length;
      if (!file.startsWith("two")) expect(count).toBeGreaterThan(0);
    });
  }

  test.runIf(paperFolder !== undefined)(
    "a network with its loop in a subgraph gives what the flat one gives",
    async () => {
      for (const file of FILES.slice(0, 4).filter((name) => !name.endsWith("subgraph"))) {
        const [flat, nested] = await Promise.all(
          [file, `${file}_subgraph`].map(async (name) =>
            fromNIR(await readNIR(readFileSync(join(paperFolder as string, `${name}.nir`))), { dt: 1e-4 }),
          ),
        );
        const x = rand([50, 2, 12], { generator: new Generator(1) });
        expect(values(nested?.forward(x) as Tensor)).toEqual(values(flat?.forward(x) as Tensor));
      }
    },
  );
});

describe("fromNIR: large graphs", () => {
  const scale: NIRNode = { type: "Scale", scale: same(0.5, 1) };
  const graphOf = (names: readonly string[], edges: [string, string][]): NIRGraph => ({
    type: "NIRGraph",
    nodes: {
      input: { type: "Input", shape: [1] },
      ...Object.fromEntries(names.map((name) => [name, scale])),
      output: { type: "Output", shape: [1] },
    },
    edges,
  });

  test("a chain of 4000 nodes is made and run within the limit of a test", () => {
    const names = Array.from({ length: 4000 }, (_, i) => `n${i}`);
    const all = ["input", ...names, "output"];
    const edges = all.slice(1).map((name, i): [string, string] => [all[i] as string, name]);
    expect(fromNIR(graphOf(names, edges), { dt }).forward(ones([1, 1, 1])).shape).toEqual([1, 1, 1]);
  });

  test("many loops are cut in one search", () => {
    const names = Array.from({ length: 200 }, (_, i) => `n${i}`);
    const edges = names.flatMap((from) => names.map((to): [string, string] => [from, to]));
    const network = fromNIR(graphOf(names, [["input", "n0"], ...edges, ["n199", "output"]]), { dt });
    expect(network.forward(ones([1, 1, 1])).shape).toEqual([1, 1, 1]);
  });
});

describe("fromNIR: fields that do not fit", () => {
  const around = (node: object, shape: readonly number[], after: readonly number[] = shape): NIRGraph => ({
    type: "NIRGraph",
    nodes: { input: { type: "Input", shape }, n: node as NIRNode, output: { type: "Output", shape: after } },
    edges: [
      ["input", "n"],
      ["n", "output"],
    ],
  });
  const cases: readonly (readonly [string, NIRGraph, string])[] = [
    [
      "an input_shape of other values",
      around({ type: "Flatten", start_dim: 0, end_dim: -1, input_shape: [7] }, [2, 2], [4]),
      'fromNIR: node "n": expected values [7], as its shape says, got [2, 2]',
    ],
    ["a delay into the past", around({ type: "Delay", delay: same(-4e-4, 2) }, [2]), "delay in steps"],
    ["a pool without a stride", around({ type: "AvgPool2d", kernel_size: 1, padding: 0 }, [1, 2, 2]), "n/stride"],
    [
      "constants of more neurons than memory has room for",
      around({ type: "LI", tau: array([1, 2], [2, 1, 1]), r: same(1, 1), v_leak: same(0, 1) }, [2, 16384, 4096]),
      'fromNIR: node "n": expected tau for at most 16777216 neurons that differ, got 134217728',
    ],
    ["an unknown field", around({ type: "Scale", scale: same(1, 2), foo: 1 }, [2]), 'got "foo"'],
    ...["constructor", "toString", "__proto__"].map((type) => [type, around({ type }, [2]), `got "${type}"`] as const),
  ];
  for (const [name, graph, message] of cases) {
    test(name, () => expect(() => fromNIR(graph, { dt })).toThrow(message));
  }
});

test("fromNIR: a product of maps in a loop works on the last axis, as outside of loops", () => {
  const graph: NIRGraph = {
    type: "NIRGraph",
    nodes: {
      input: { type: "Input", shape: [2, 2] },
      n: { type: "IF", r: same(1 / dt, 2, 2), v_threshold: same(1, 2, 2), v_reset: same(0, 2, 2) },
      w: { type: "Linear", weight: array([0, 2, 0, 0], [2, 2]) },
      output: { type: "Output", shape: [2, 2] },
    },
    edges: [
      ["input", "n"],
      ["n", "w"],
      ["w", "n"],
      ["n", "output"],
    ],
  };
  const x = tensor([0, 2, 0, 0, 0, 0, 0, 0], { shape: [2, 1, 2, 2] });
  // The spike of the second neuron of a row is fed back to the first.
  expect(values(fromNIR(graph, { dt }).forward(x))).toEqual([0, 1, 0, 0, 1, 0, 0, 0]);
});
