/** Networks with several Inputs and Outputs, and Outputs that the Python package adds at dead ends. */
import type { LIF, Tensor } from "jarvis-snn";
import { Generator, noGrad, ones, rand, record, Sequential, Stream, tape, tensor, zeros } from "jarvis-snn";
import { fromNIR, type NIRArray, type NIRGraph, type NIRNode, readNIR, toNIR, writeNIR } from "jarvis-snn/nir";
import { describe, expect, test } from "vitest";

const dt = 1e-3;

const values = (t: Tensor | undefined): number[] => Array.from((t as Tensor).toFloat32Array());

const same = (value: number, ...shape: number[]): NIRArray => ({
  shape,
  data: new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});

const random = (seed: number, ...shape: number[]): NIRArray => ({
  shape,
  data: rand(shape, { generator: new Generator(seed) })
    .toFloat32Array()
    .map((x) => 2 * x - 1),
});

const input = (...shape: number[]): NIRNode => ({ type: "Input", shape });
const output = (...shape: number[]): NIRNode => ({ type: "Output", shape });
const linear = (seed: number, out: number, inputs: number): NIRNode => ({
  type: "Linear",
  weight: random(seed, out, inputs),
});
const lif = (n: number, threshold = 0.5): NIRNode => ({
  type: "LIF",
  tau: same(0.01, n),
  r: same(10, n),
  v_leak: same(0, n),
  v_threshold: same(threshold, n),
  v_reset: same(0, n),
});

type Edges = readonly (readonly [string, string])[];
const graphOf = (nodes: Record<string, NIRNode>, edges: Edges): NIRGraph => ({ type: "NIRGraph", nodes, edges });

/** Two Inputs whose products are summed in neurons that feed back through a pair of nodes, and Outputs after three nodes. */
const many = graphOf(
  {
    sound: input(3),
    sight: input(2, 2),
    ear: linear(1, 4, 3),
    flat: { type: "Flatten", start_dim: 0, end_dim: -1, input_shape: [2, 2] },
    eye: linear(2, 4, 4),
    n: lif(4),
    back: linear(3, 4, 4),
    m: lif(4, 0.3),
    move: output(4),
    speak: output(4),
    raw: output(4),
  },
  [
    ["sound", "ear"],
    ["sight", "flat"],
    ["flat", "eye"],
    ["ear", "n"],
    ["eye", "n"],
    ["n", "back"],
    ["back", "m"],
    ["m", "n"],
    ["n", "move"],
    ["m", "speak"],
    ["flat", "raw"],
  ],
);

const T = 12;
const sound = () => rand([T, 2, 3], { generator: new Generator(4) }).mul(0.6);
const sight = () => rand([T, 2, 2, 2], { generator: new Generator(5) }).mul(0.6);

describe("NIRModule: several Inputs and Outputs", () => {
  test("run takes tensors by the names of the Inputs and gives those of the Outputs", () =>
    noGrad(() => {
      const network = fromNIR(many, { dt });
      expect(network.inputs).toEqual({ sight: [2, 2], sound: [3] });
      expect(network.outputs).toEqual({ move: [4], raw: [4], speak: [4] });
      const z = network.run({ sound: sound(), sight: sight() });
      expect(Object.keys(z)).toEqual(["move", "raw", "speak"]);
      expect(values(z.raw)).toEqual(values(sight()));
      // By hand: the neurons receive the sum of both products, and the spikes of the last neurons one step late.
      const layers = Object.fromEntries(network.namedModules()) as unknown as Record<string, LIF>;
      const [ear, eye, back, n, m] = ["ear", "eye", "back", "n", "m"].map((name) => layers[name]) as LIF[] as [
        LIF,
        LIF,
        LIF,
        LIF,
        LIF,
      ];
      const currents = ear.forward(sound()).add(eye.forward(sight().reshape([T, 2, 4])));
      let [vn, vm, late] = [n.initialState([2, 4]), m.initialState([2, 4]), zeros([2, 4])];
      const steps = currents.unbind(0).map((current) => {
        const [s, nextN] = n.step(current.add(late), vn);
        const [r, nextM] = m.step(back.forward(s), vm);
        [vn, vm, late] = [nextN, nextM, r];
        return [values(s), values(r)];
      });
      expect(values(z.move)).toEqual(steps.flatMap(([s]) => s as number[]));
      expect(values(z.speak)).toEqual(steps.flatMap(([, r]) => r as number[]));
      for (const spikes of [z.move, z.speak]) expect(new Set(values(spikes))).toEqual(new Set([0, 1]));
    }));

  test("steps have the bits of the run, from a state for the shapes by their names", () =>
    noGrad(() => {
      const network = fromNIR(many, { dt });
      const z = network.run({ sound: sound(), sight: sight() });
      let state = network.initialState({ sight: [2, 2, 2], sound: [2, 3] });
      const steps = Array.from({ length: T }, (_, t) => {
        const [outputs, next] = network.runStep({ sound: sound().select(0, t), sight: sight().select(0, t) }, state);
        state = next;
        return outputs;
      });
      for (const name of ["move", "raw", "speak"]) {
        expect(steps.flatMap((outputs) => values(outputs[name]))).toEqual(values(z[name]));
      }
    }));

  test("the order in which a file lists nodes and edges changes nothing", () =>
    noGrad(() => {
      const other = graphOf(Object.fromEntries(Object.entries(many.nodes).reverse()), [...many.edges].reverse());
      const [a, b] = [many, other].map((each) => fromNIR(each, { dt }).run({ sound: sound(), sight: sight() }));
      for (const name of ["move", "raw", "speak"]) expect(values(b?.[name])).toEqual(values(a?.[name]));
    }));

  test("gradients come from all Outputs to all Inputs and weights", () => {
    const network = fromNIR(many, { dt });
    tape(() => {
      const [x, y] = [sound(), sight()];
      x.requiresGrad = true;
      y.requiresGrad = true;
      const { move, speak } = network.run({ sound: x, sight: y });
      (move as Tensor)
        .sum()
        .add((speak as Tensor).sum())
        .backward();
      for (const t of [x, y, ...network.parameters()]) {
        expect(values(t.grad as Tensor).some((g) => g !== 0)).toBe(true);
      }
    });
  });

  test("outside of tapes run leaves its outputs alone", () => {
    const network = fromNIR(many, { dt });
    const z = network.run({ sound: sound(), sight: sight() });
    for (const t of Object.values(z)) {
      expect(values(t)).toHaveLength(T * 2 * 4);
      t.dispose();
    }
  });

  test("a network of one Input and one Output has both forms", () =>
    noGrad(() => {
      const nodes = { a: input(3), w: linear(1, 2, 3), n: lif(2), b: output(2) };
      const network = fromNIR(
        graphOf(nodes, [
          ["a", "w"],
          ["w", "n"],
          ["n", "b"],
        ]),
        { dt },
      );
      expect(values(network.run({ a: sound() }).b)).toEqual(values(network.forward(sound())));
      const x = ones([2, 3]);
      const [{ b }] = network.runStep({ a: x }, network.initialState({ a: [2, 3] }));
      expect(values(b)).toEqual(values(network.step(x, network.initialState([2, 3]))[0]));
      const first = network.unroll(sound().slice(0, 0, 2));
      const rest = network.unroll(sound().slice(0, 2), first.state);
      expect([...values(first.z), ...values(rest.z)]).toEqual(values(network.forward(sound())));
    }));

  test("files and toNIR give the graph back, which needs no inputShape", async () => {
    const network = fromNIR(await readNIR(await writeNIR(many)), { dt });
    const [, weight] = network.namedParameters().find(([name]) => name === "ear.weight") as [string, Tensor];
    weight.copyFrom(noGrad(() => weight.mul(1.5)));
    const { graph, losses } = toNIR(network, { dt });
    expect(losses).toEqual([]);
    const again = fromNIR(await readNIR(await writeNIR(graph)), { dt });
    noGrad(() => {
      const [a, b] = [network, again].map((each) => each.run({ sound: sound(), sight: sight() }));
      for (const name of ["move", "raw", "speak"]) expect(values(b?.[name])).toEqual(values(a?.[name]));
    });
  });

  const network = fromNIR(many, { dt });
  const x = ones([1, 1, 3]);
  const several =
    'NIRModule: expected one Input and one Output, got ["sight", "sound"] and ["move", "raw", "speak"]; ' +
    "run and runStep name them";
  const byName = 'NIRModule: expected values by the names ["sight", "sound"], got ';
  const y = ones([1, 1, 2, 2]);
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["forward", () => network.forward(x), several],
    ["step", () => network.step(ones([1, 3]), network.initialState({ sound: [1, 3], sight: [1, 2, 2] })), several],
    ["initialState", () => network.initialState([1, 3]), several],
    ["Stream", () => new Stream(network, [1, 3]), several],
    ["record", () => record(network, x), several],
    ["Sequential", () => new Sequential(network).forward(x), several],
    ["toNIR with one shape", () => toNIR(network, { dt, inputShape: [3] }), several],
    ["an Input left out", () => network.run({ sound: x }), `${byName}["sound"]`],
    ["another name", () => network.run({ sound: x, sigh: y }), `${byName}["sound", "sigh"]`],
    ["one name too many", () => network.run({ sound: x, sight: y, more: y }), `${byName}["sound", "sight", "more"]`],
    ["a tensor alone", () => network.run(x as never), `${byName}`],
    ["anything but tensors", () => network.run({ sound: x, sight: 1 } as never), "NIRModule: expected a tensor"],
    [
      "another size",
      () => network.run({ sound: x, sight: ones([1, 1, 2, 3]) }),
      'NIRModule: expected x [T, B, 2, 2], as the Input says, got [1, 1, 2, 3] at "sight"',
    ],
    [
      "another number of steps",
      () => network.run({ sound: ones([2, 1, 3]), sight: y }),
      'NIRModule: expected x [1, 1, 3], as the Input says, got [2, 1, 3] at "sound"',
    ],
  ];
  for (const [name, run, message] of cases) test(`${name} is refused`, () => expect(run).toThrow(message));
});

describe("NIRModule: dead ends", () => {
  /** A graph as completed by the Python package if nothing reads `dead`. */
  const nodes = { input: input(3), fc: linear(1, 2, 3), n: lif(2), dead: linear(2, 5, 2), output: output(2) };
  const edges: Edges = [
    ["input", "fc"],
    ["fc", "n"],
    ["n", "output"],
    ["n", "dead"],
  ];
  const completed = (name: string, more: Record<string, NIRNode> = {}): NIRGraph =>
    graphOf({ ...nodes, ...more, [name]: output(5) }, [...edges, ["dead", name]]);
  const { dead: _, ...others } = nodes;
  const plain = fromNIR(graphOf(others, edges.slice(0, 3)), { dt });

  for (const name of ["output_dead", "output_dead_0"]) {
    test(`${name} leaves forward, step and Stream as they were, and run gives it`, () =>
      noGrad(() => {
        const network = fromNIR(completed(name), { dt });
        const z = values(plain.forward(sound()));
        expect(values(network.forward(sound()))).toEqual(z);
        expect(Object.keys(network.outputs)).toEqual(["output", name]);
        const both = network.run({ input: sound() });
        expect(values(both.output)).toEqual(z);
        expect(both[name]?.shape).toEqual([T, 2, 5]);
        const stream = new Stream(network, [2, 3]);
        const steps = sound()
          .unbind(0)
          .flatMap((x) => Array.from(stream.step(x.toFloat32Array())));
        expect(steps).toEqual(z);
        stream.dispose();
        expect(toNIR(network, { dt, inputShape: [3] }).graph).toEqual(completed(name));
      }));
  }

  test("an Output of another name, behind a node that others read, or of two nodes is no dead end", () => {
    const isRefused = (graph: NIRGraph) =>
      expect(() => fromNIR(graph, { dt }).forward(sound())).toThrow("expected one Input and one Output");
    isRefused(completed("output_of_dead"));
    isRefused(completed("output_dead_x"));
    isRefused(completed("output_dea"));
    isRefused(graphOf({ ...others, output_n: output(2) }, [...edges.slice(0, 3), ["n", "output_n"]]));
    const { dead, ...named } = completed("output_dead").nodes;
    const sum = { type: "Linear", weight: random(3, 5, 2) } as NIRNode;
    isRefused(
      graphOf({ ...named, dead: dead as NIRNode, sum }, [
        ...edges,
        ["n", "sum"],
        ["dead", "output_dead"],
        ["sum", "output_dead"],
      ]),
    );
  });

  test("a graph whose only Output the package has added is one of one Output; two of them are two", () => {
    const alone = graphOf({ input: input(3), fc: linear(1, 2, 3), output_fc: output(2) }, [
      ["input", "fc"],
      ["fc", "output_fc"],
    ]);
    expect(fromNIR(alone, { dt }).forward(sound()).shape).toEqual([T, 2, 2]);
    const both = graphOf({ ...alone.nodes, b: linear(2, 1, 3), output_b: output(1) }, [
      ...alone.edges,
      ["input", "b"],
      ["b", "output_b"],
    ]);
    const network = fromNIR(both, { dt });
    expect(() => network.forward(sound())).toThrow('got ["input"] and ["output_b", "output_fc"]');
    expect(Object.keys(network.run({ input: sound() }))).toEqual(["output_b", "output_fc"]);
  });

  test("a subgraph may have them, and be one", () =>
    noGrad(() => {
      const inner = completed("output_dead");
      const outer = graphOf({ a: input(3), sub: inner, tail: inner, z: output(2), output_tail: output(2) }, [
        ["a", "sub"],
        ["sub", "z"],
        ["a", "tail"],
        ["tail", "output_tail"],
      ]);
      const network = fromNIR(outer, { dt });
      expect(values(network.forward(sound()))).toEqual(values(plain.forward(sound())));
      expect(Object.keys(network.outputs)).toEqual(["z", "sub.output_dead", "tail.output_dead", "output_tail"]);
    }));

  test("several Inputs or Outputs of a subgraph are refused, as an edge cannot name them", () => {
    const sub = { ...many };
    const edges: Edges = [
      ["a", "sub"],
      ["sub", "z"],
    ];
    expect(() => fromNIR(graphOf({ a: input(3), sub, z: output(4) }, edges), { dt })).toThrow(
      'fromNIR: node "sub": expected one node of type Input, got ["sound", "sight"]',
    );
  });
});

test("fromNIR: an Input may have any name", () => {
  const nodes = Object.fromEntries([
    ["__proto__", input(2)],
    ["constructor", { type: "Scale", scale: same(2, 2) }],
    ["toString", output(2)],
  ]) as Record<string, NIRNode>;
  const network = fromNIR(
    graphOf(nodes, [
      ["__proto__", "constructor"],
      ["constructor", "toString"],
    ]),
    { dt },
  );
  expect(values(network.forward(tensor([1, 3], { shape: [1, 1, 2] })))).toEqual([2, 6]);
});
