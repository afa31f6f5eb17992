import { expect, test } from "vitest";
import type { Module, Optimizer, Tensor } from "../../engine/index.ts";
import {
  Adam,
  AdamW,
  Generator,
  gradcheck,
  Linear,
  mseLoss,
  noGrad,
  ones,
  Sequential,
  SGD,
  stack,
  tape,
  zeros,
} from "../../engine/index.ts";
import { bits, bytesKept, expectNear, leaf, random, values } from "../../test/support/tensors.ts";
import { EProp, LeakyIntegrator, LIF, Recurrent, RecurrentLIF, SLTT, Stream, Synaptic } from "../index.ts";
import { type NIRGraph, type NIRNode, toNIR } from "../nir/index.ts";
import { applyMasks, Int8, prune, quantize, quantizedState, quantizedWeights } from "../quantize/index.ts";

const [T, B, N] = [9, 2, 6];
const options = (selfConnections = false, seed = 1) => ({
  features: N,
  selfConnections,
  generator: new Generator(seed),
});
const layerOf = (selfConnections = false) => new Recurrent(new LIF({ threshold: 0.5 }), options(selfConnections));
const linearOf = (layer: { readonly recurrent: Module | null }) => layer.recurrent as Linear;

/** Values [N, N] on the diagonal, and the others. */
const diagonal = (w: ArrayLike<number>) => Array.from({ length: N }, (_, i) => w[i * (N + 1)] as number);
const others = (w: ArrayLike<number>) => Array.from(w).filter((_, i) => i % (N + 1) !== 0);
const none = new Array<number>(N).fill(0);

/** A layer with self-connections and the weight of the other layer, whose diagonal is 0. */
function withWeightOf(layer: Recurrent<never, never>): ReturnType<typeof layerOf> {
  const dense = layerOf(true);
  const masked = values(linearOf(layer).weight).map((w, i) => (i % (N + 1) === 0 ? 0 : w));
  linearOf(dense).weight.copyFrom(masked);
  if (linearOf(layer).bias !== null) linearOf(dense).bias?.copyFrom(linearOf(layer).bias as Tensor);
  return dense;
}

test("self-connections: the diagonal starts at 0, and all other weights as those of a layer that has some", () => {
  for (const [plain, without] of [
    [layerOf(true), layerOf()],
    [new RecurrentLIF(options(true)), new RecurrentLIF(options())],
  ] as const) {
    const [w, all] = [without, plain].map((layer) => values(linearOf(layer).weight)) as [number[], number[]];
    expect(diagonal(w)).toEqual(none);
    expect(others(w)).toEqual(others(all));
    expect(diagonal(all)).not.toContain(0);
  }
});

test("self-connections: forward, unroll, step and Stream have the bits of a zero diagonal, whatever is written there", () => {
  for (const written of [false, true]) {
    const layer = layerOf();
    if (written) linearOf(layer).weight.copyFrom(random([N, N], 3));
    const x = random([T, B, N], 4, { low: 0, high: 1 });
    const spikes = withWeightOf(layer as never).forward(x);
    expect(values(spikes)).toContain(1);
    expect(bits(layer.forward(x))).toEqual(bits(spikes));
    expect(bits(layer.unroll(x).spikes)).toEqual(bits(spikes));
    const stream = new Stream(layer, [B, N]);
    let state = layer.initialState([B, N]);
    for (const [t, now] of x.unbind(0).entries()) {
      const [s, next] = layer.step(now, state);
      state = next;
      expect(bits(s)).toEqual(bits(spikes.select(0, t)));
      expect(bits(stream.step(now.toFloat32Array()).slice())).toEqual(bits(s));
    }
    stream.dispose();
  }
});

const OPTIMIZERS: Record<string, (p: Tensor[]) => Optimizer> = {
  "SGD with momentum and weight decay": (p) => new SGD(p, { lr: 0.1, momentum: 0.9, weightDecay: 0.1 }),
  Adam: (p) => new Adam(p, { lr: 0.02, weightDecay: 0.1 }),
  AdamW: (p) => new AdamW(p, { lr: 0.02 }),
};

test.each(Object.entries(OPTIMIZERS))(
  "self-connections: %s leaves the diagonal at 0, as steps of tensors do",
  (_, make) => {
    const layer = layerOf();
    const composed = withWeightOf(layer as never);
    const { weight, bias } = linearOf(composed);
    const mask = ones([N, N]).copyFrom(Float32Array.from({ length: N * N }, (_, i) => (i % (N + 1) === 0 ? 0 : 1)));
    const lif = new LIF({ threshold: 0.5 });
    const onTensors = (x: Tensor): Tensor => {
      let [state, s] = [lif.initialState([B, N]), zeros([B, N])];
      const steps = x.unbind(0).map((now) => {
        [s, state] = lif.step(now.add(s.matmul(weight.mul(mask).transpose())).add(bias as Tensor), state);
        return s;
      });
      return stack(steps);
    };
    const optimizers = [layer, composed].map((each) => make(each.parameters()));
    const target = random([T, B, N], 8, { low: 0, high: 1 });
    for (let round = 0; round < 6; round++) {
      const x = random([T, B, N], 10 + round, { low: 0, high: 1 });
      for (const [i, forward] of [(z: Tensor) => layer.forward(z), onTensors].entries()) {
        optimizers[i]?.zeroGrad();
        tape(() => mseLoss(forward(x), target).backward());
        if (i === 0) {
          const dw = values(linearOf(layer).weight.grad as Tensor);
          expect(diagonal(dw)).toEqual(none);
          expect(others(dw).some((d) => d !== 0)).toBe(true);
        }
        optimizers[i]?.step();
      }
      expect(diagonal(values(linearOf(layer).weight))).toEqual(none);
      expectNear(values(linearOf(layer).weight), values(weight), `weights of round ${round}`, { absolute: 1e-4 });
    }
  },
);

test("self-connections: neurons that are composed step by step have no gradient there, and differences confirm the others", () => {
  const layer = new Recurrent(new Synaptic({ spiking: false }), options());
  gradcheck((x) => layer.forward(x).sum(), [random([3, B, N], 6)]);
  tape(() =>
    layer
      .forward(random([T, B, N], 6))
      .sum()
      .backward(),
  );
  expect(diagonal(values(linearOf(layer).weight.grad as Tensor))).toEqual(none);
  const w = leaf([N, N], 7);
  gradcheck(
    (weight) => {
      const smooth = new Recurrent(new LIF({ spiking: false }), options());
      Object.defineProperty(smooth.recurrent, "weight", { value: weight });
      return smooth.forward(random([3, B, N], 8)).sum();
    },
    [w],
  );
});

test("self-connections: e-prop and SLTT give the gradients of a zero diagonal, without those of the diagonal", () => {
  const make = (hidden: Module) => {
    const generator = new Generator(4);
    return new Sequential(
      new Linear(3, N, { generator }),
      hidden,
      new Linear(N, 2, { generator }),
      new LeakyIntegrator(),
    );
  };
  const loss = (y: Tensor) => y.square().sum();
  const rules = [(model: Module) => new EProp(model, { loss }), (model: Module) => new SLTT(model, { loss })];
  for (const rule of rules) {
    const layer = layerOf();
    const dense = withWeightOf(layer as never);
    const x = random([T, B, 3], 5, { low: 0, high: 4 });
    const [got, want] = [layer, dense].map((hidden) => {
      const online = rule(make(hidden));
      let state: never | undefined;
      for (const now of x.unbind(0)) ({ state } = online.step(now, [0], state) as never);
      return values(linearOf(hidden).weight.grad as Tensor);
    }) as [number[], number[]];
    expect(diagonal(got)).toEqual(none);
    expect(diagonal(want)).not.toEqual(none);
    expectNear(others(got), others(want), "gradient");
  }
});

test("self-connections: grids, masks and files have a zero diagonal, also where others were written", () => {
  const weights = random([N, N], 9);
  const make = () => {
    const layer = layerOf();
    linearOf(layer).weight.copyFrom(weights);
    return layer;
  };
  const x = random([T, B, N], 4, { low: 0, high: 1 });
  for (const bitsOfWeights of [8, 4, "ternary"] as const) {
    const layer = quantize(make(), { weights: { bits: bitsOfWeights } });
    const { q, scales } = quantizedWeights(linearOf(layer));
    expect(diagonal(q)).toEqual(none);
    // The largest weight of a row is not on the diagonal.
    const largest = bitsOfWeights === "ternary" ? 1 : 2 ** (bitsOfWeights - 1) - 1;
    for (let i = 0; i < N; i++)
      expect(
        Math.max(
          ...others(q)
            .slice(i * (N - 1), (i + 1) * (N - 1))
            .map(Math.abs),
        ),
      ).toBe(largest);
    const copy = layerOf(true);
    const floats = Float32Array.from(q, (value, at) => value * (scales[Math.floor(at / N)] as number));
    linearOf(copy).weight.copyFrom(floats);
    linearOf(copy).bias?.copyFrom(linearOf(layer).bias as Tensor);
    expect(bits(layer.forward(x))).toEqual(bits(copy.forward(x)));
  }
  const model = new Sequential(new Linear(N, N), make());
  const arrays = new Int8(model).arrays();
  expect(diagonal(arrays["1.recurrent.weight"]?.data as Float32Array)).toEqual(none);
  expect(diagonal(quantizedState(model)["1.recurrent.weight"]?.data as Float32Array)).toEqual(none);
  const { graph, losses } = toNIR(make(), { dt: 1, inputShape: [N] });
  expect(losses.map(({ property }) => property)).toContain("selfConnections");
  const inner = Object.values(graph.nodes).find((node) => node.type === "NIRGraph") as NIRGraph;
  const { weight } = inner.nodes.w_rec as Extract<NIRNode, { readonly type: "Affine" }>;
  expect(diagonal(weight.data)).toEqual(none);
  const pruned = make();
  const dense = withWeightOf(pruned as never);
  for (const layer of [pruned, dense]) prune(layer, { amount: 0.5 });
  expect(bits(pruned.forward(x))).toEqual(bits(dense.forward(x)));
  applyMasks(pruned);
  applyMasks(dense);
  expect(bits(pruned.forward(x))).toEqual(bits(dense.forward(x)));
});

test("self-connections: loaded values on the diagonal become 0, and are reported", () => {
  const model = new Sequential(new Linear(N, N), layerOf());
  const name = "1.recurrent.weight";
  const state = new Sequential(new Linear(N, N), layerOf(true)).stateDict();
  const given = Array.from(state[name]?.data as Float32Array);
  expect(model.loadStateDict(state).adjustedKeys).toEqual([name]);
  const w = values(linearOf(model.modules[1] as never).weight);
  expect(diagonal(w)).toEqual(none);
  expect(others(w)).toEqual(others(given));
  expect(Array.from(state[name]?.data as Float32Array)).toEqual(given);
  expect(model.loadStateDict(model.stateDict()).adjustedKeys).toEqual([]);
});

test("self-connections: leave no memory behind", () => {
  const layer = layerOf();
  const x = leaf([T, B, N], 4);
  const step = () => {
    tape(() => layer.forward(x).sum().backward());
    noGrad(() => layer.forward(x)).dispose();
    layer.forward(x).dispose();
  };
  step();
  step();
  expect(bytesKept(step)).toBe(0);
});

test("self-connections: are told in the text, and what does not fit is an error", () => {
  expect(String(layerOf())).toContain("W = layer.recurrent.weight [6, 6] without its diagonal, b =");
  const make = (more: object) => () =>
    new Recurrent(new LIF(), { features: N, selfConnections: false, ...more } as never);
  expect(make({ connection: "one" })).toThrow(
    'Recurrent: expected connection "all" with selfConnections false, got "one"',
  );
  expect(make({ connection: new Linear(N, N), features: undefined })).toThrow(
    'Recurrent: expected connection "all" with selfConnections false, got object',
  );
  expect(() => new RecurrentLIF({ ...options(), connection: "one" })).toThrow(
    'RecurrentLIF: expected connection "all" with selfConnections false, got "one"',
  );
  expect(make({ selfConnections: 0 })).toThrow(TypeError);
});
