/** A recurrent layer as one op against the same layer with its steps composed, which is that with a module as the connection. */
import { describe, expect, test } from "vitest";
import { Generator, type Linear, Module, type Tensor, tape, tensor } from "../../engine/index.ts";
import { AdaptiveLIF, Resetting, Resting, Subtracting } from "../../test/support/neurons.ts";
import { bits, bytesKept, expectNear, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import { Recurrent, surrogate } from "../index.ts";

type State = Readonly<Record<string, Tensor>>;
/** A recurrent layer of any neuron, by the names of its outputs. */
interface Layer extends Module {
  readonly neuron: Module;
  readonly recurrent: Module | null;
  readonly V: Tensor | null;
  unroll(current: Tensor, state?: State): Readonly<Record<string, Tensor>> & { readonly state: State };
  initialState(shape: readonly number[]): State;
}

/** V ⊙ s as a module. */
class Own extends Module {
  readonly V: Tensor;
  constructor(V: Tensor) {
    super();
    this.V = V;
  }
  forward(s: Tensor): Tensor {
    return s.mul(this.V);
  }
}

const perNeuron = (n: number, low: number, high: number, seed: number) => random([n], seed, { low, high });

const NEURONS: Record<string, (n: number) => Module> = {
  Resetting: () => new Resetting({ surrogate: surrogate.atan() }),
  "Resetting, learned": () => new Resetting({ learn: ["beta", "threshold"], constrain: { beta: [0, 1] } }),
  "Subtracting, refractory": () => new Subtracting({ refractorySteps: 2, fire: "gt", learn: ["threshold"] }),
  "Subtracting, a box": () => new Subtracting({ surrogate: surrogate.boxcar({ width: 0.2 }) }),
  AdaptiveLIF: () => new AdaptiveLIF({ surrogate: surrogate.triangular({ width: 0.5 }) }),
  "AdaptiveLIF, learned": () => new AdaptiveLIF({ learn: ["beta", "rho", "kappa", "threshold"] }),
  "AdaptiveLIF, learned for each neuron": (n) =>
    new AdaptiveLIF({
      beta: perNeuron(n, 0.5, 1.1, 1),
      kappa: perNeuron(n, 0.5, 2, 2),
      learn: ["beta", "rho", "kappa"],
      constrain: { beta: [0, 1] },
    }),
  "AdaptiveLIF, a derivative that a kernel computes": () =>
    new AdaptiveLIF({ learn: ["kappa"], surrogate: surrogate.custom({ derivative: (x) => x.square().neg().exp() }) }),
  Resting: (n) => new Resting({ raw: perNeuron(n, -1, 2, 3), learn: ["rest", "raw", "threshold"] }),
};

/** The layer as one op, and composed. */
function layersOf(make: (n: number) => Module, n: number, connection: "all" | "one", bias = true): [Layer, Layer] {
  const neurons = make(n) as never;
  const fused = new Recurrent(neurons, { features: n, connection, bias, generator: new Generator(5) });
  fused.V?.copyFrom(random([n], 6));
  const module = fused.recurrent ?? new Own(fused.V as Tensor);
  return [fused, new Recurrent(neurons, { connection: module })] as unknown as [Layer, Layer];
}

interface Given {
  readonly x: Tensor;
  readonly state?: State;
  /** The part of the loss that weighs outputs and the last state. */
  read(record: Readonly<Record<string, unknown>>): Tensor;
}

/** Runs both ways: values to the bit, gradients of inputs to the bit, those of parameters nearly. */
function expectSame(layers: readonly [Layer, Layer], { x, state, read }: Given, isRead = true): void {
  const leaves = [x, ...Object.values(state ?? {}).filter((t) => t.requiresGrad)];
  const parameters = layers[0].parameters();
  const [fused, composed] = layers.map((layer) => {
    for (const t of [...leaves, ...parameters]) t.zeroGrad();
    const made = tape(() => {
      const record = layer.unroll(x, state);
      read(record).backward();
      const { state: last, ...outputs } = record;
      const all = isRead ? { ...outputs, ...(last as unknown as Record<string, Tensor>) } : { spikes: record.spikes };
      return Object.entries(all)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, t]) => [name, bits(t as Tensor)]);
    });
    return { made, inputs: leaves.map(gradient), parameters: parameters.map(gradient) };
  }) as [Result, Result];
  expect(fused.made).toEqual(composed.made);
  expect(fused.inputs).toEqual(composed.inputs);
  for (const [i, got] of fused.parameters.entries()) {
    const want = composed.parameters[i] as number[];
    const most = Math.max(...want.map(Math.abs));
    expectNear(got, want, `gradient of parameter ${i}`, { absolute: 1e-5 * (1 + most), relative: 1e-5 });
  }
  expect(fused.inputs[0]?.some((g) => g !== 0)).toBe(true);
}
interface Result {
  readonly made: unknown;
  readonly inputs: number[][];
  readonly parameters: number[][];
}

const spikesOf = (record: Readonly<Record<string, unknown>>) => record.spikes as Tensor;
const weighted = (t: Tensor, seed: number): Tensor => t.mul(random([...t.shape], seed)).sum();

/** Everything that a layer gives, weighted. */
function all(record: Readonly<Record<string, unknown>>): Tensor {
  const { state, ...outputs } = record;
  const named = { ...outputs, ...Object.fromEntries(Object.entries(state as State).map(([k, t]) => [`last ${k}`, t])) };
  const terms = Object.entries(named as Record<string, Tensor>)
    .filter(([name]) => !name.endsWith("refractory"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, t], i) => weighted(t, 20 + i));
  return terms.reduce((sum, term) => sum.add(term));
}

/** The state before a run; its spikes are 0 and 1, or any numbers. */
function stateOf(layer: Layer, shape: number[], isBinary: boolean): State {
  return Object.fromEntries(
    Object.keys(layer.initialState(shape)).map((name, i) => {
      const t = leaf(shape, 30 + i, { low: -0.5, high: 0.5 });
      if (name === "spikes") return [name, isBinary ? t.copyFrom(t.gt(0).toFloat32Array()) : t];
      return name === "refractory" ? [name, tensor(values(t).map((_, j) => j % 3)).reshape(shape)] : [name, t];
    }),
  );
}

describe.each(["all", "one"] as const)(
  "recurrent, connection %s: one op has the bits of composed steps",
  (connection) => {
    describe.each(Object.entries(NEURONS))("%s", (_, make) => {
      test.each([5, 16, 36, 33, 70])("of %i neurons", (n) => {
        for (const T of [1, 9]) {
          const layers = layersOf(make, n, connection, T > 1);
          const x = leaf([T, 3, n], 7, { low: -0.5, high: 1.5 });
          if (T > 1) expect(values((layers[0] as unknown as Module).forward(x))).toContain(1);
          expectSame(layers, { x, read: (record) => weighted(spikesOf(record), 8) });
          expectSame(layers, { x, read: all });
        }
      });

      test("from a state on, of which gradients are wanted", () => {
        const layers = layersOf(make, 36, connection);
        const x = leaf([6, 3, 36], 7, { low: -0.5, high: 1.5 });
        for (const isBinary of [true, false]) {
          const state = stateOf(layers[0], [3, 36], isBinary);
          expectSame(layers, { x, state, read: (record) => weighted(spikesOf(record), 8) }, false);
          expectSame(layers, { x, state, read: all });
          expectSame(layers, { x: leaf([1, 3, 36], 7), state, read: all });
          expectSame(layers, { x, state, read: (record) => weighted((record.state as State).spikes as Tensor, 9) });
        }
      });
    });

    test("of images, and of one sample without further axes", () => {
      for (const shape of [
        [6, 2, 3, 20],
        [6, 20],
      ]) {
        const layers = layersOf(NEURONS.Resetting as () => Module, 20, connection);
        expectSame(layers, { x: leaf(shape, 7, { low: -0.5, high: 1.5 }), read: all });
      }
    });

    test("of more neurons than are packed at once", () => {
      const layers = layersOf(NEURONS.Resetting as () => Module, 300, connection);
      expectSame(layers, { x: leaf([4, 2, 300], 7, { low: -0.5, high: 1.5 }), read: all });
    });

    test("a current that is constant over time", () => {
      const layers = layersOf(NEURONS["AdaptiveLIF, learned"] as () => Module, 36, connection);
      const x = leaf([3, 36], 7, { low: -0.2, high: 1 });
      const results = layers.map((layer) => {
        x.zeroGrad();
        return tape(() => {
          const s = (layer as unknown as Module).forward(x.expand([8, 3, 36]));
          weighted(s, 8).backward();
          return { spikes: bits(s), dx: gradient(x) };
        });
      }) as [{ spikes: number[]; dx: number[] }, { spikes: number[]; dx: number[] }];
      expect(results[0].spikes).toEqual(results[1].spikes);
      expectNear(results[0].dx, results[1].dx, "gradient", { absolute: 1e-4, relative: 1e-5 });
    });

    test("neurons that are smooth", () => {
      const layers = layersOf(() => new AdaptiveLIF({ spiking: false, learn: ["beta"] }), 20, connection);
      expectSame(layers, { x: leaf([5, 2, 20], 7), read: all });
    });

    test("a layer that is used twice, on its own spikes", () => {
      const layers = layersOf(NEURONS["AdaptiveLIF, learned"] as () => Module, 33, connection);
      const x = leaf([6, 2, 33], 7, { low: -0.5, high: 1.5 });
      const results = layers.map((layer) => {
        for (const t of [x, ...layer.parameters()]) t.zeroGrad();
        return tape(() => {
          const first = (layer as unknown as Module).forward(x);
          const second = (layer as unknown as Module).forward(first.add(x));
          weighted(second, 8).add(weighted(first, 9)).backward();
          return { spikes: bits(second), dx: gradient(x), parameters: layer.parameters().map(gradient) };
        });
      }) as { spikes: number[]; dx: number[]; parameters: number[][] }[];
      const [fused, composed] = results as [(typeof results)[0], (typeof results)[0]];
      expect(fused.spikes).toEqual(composed.spikes);
      expect(fused.dx).toEqual(composed.dx);
      fused.parameters.forEach((got, i) => {
        const want = composed.parameters[i] as number[];
        expectNear(got, want, `parameter ${i}`, {
          absolute: 1e-5 * (1 + Math.max(...want.map(Math.abs))),
          relative: 1e-5,
        });
      });
    });

    test("pieces of a sequence, each with a tape of its own, give what the whole gives", () => {
      const [layer] = layersOf(NEURONS["AdaptiveLIF, learned"] as () => Module, 33, connection);
      const x = random([12, 2, 33], 7, { low: -0.5, high: 1.5 });
      const whole = layer.unroll(x);
      let state: State | undefined;
      const pieces = [0, 4, 8].map((t) => {
        const piece = tape(() => {
          const { spikes, state: last } = layer.unroll(x.slice(0, t, t + 4), state);
          weighted(spikes as Tensor, 8).backward();
          return { spikes, last };
        });
        state = piece.last;
        return bits(piece.spikes as Tensor);
      });
      expect(pieces.flat()).toEqual(bits(whole.spikes as Tensor));
      for (const [name, value] of Object.entries(whole.state))
        expect(bits(state?.[name] as Tensor)).toEqual(bits(value));
    });

    test("leaves nothing behind", () => {
      const [layer] = layersOf(NEURONS["AdaptiveLIF, learned"] as () => Module, 64, connection);
      const x = leaf([20, 4, 64], 7, { low: -0.5, high: 1.5 });
      const step = () => {
        tape(() => all(layer.unroll(x)).backward());
        tape(() => spikesOf(layer.unroll(x)).sum().backward());
        tape(() => (layer as unknown as Module).forward(x)).dispose();
        (layer as unknown as Module).forward(x).dispose();
      };
      step();
      expect(bytesKept(step)).toBe(0);
    });

    test("an operand that was overwritten is noticed", () => {
      const [layer] = layersOf(NEURONS.Resetting as () => Module, 5, connection);
      const weight = layer.V ?? (layer.recurrent as Linear).weight;
      tape(() => {
        const record = layer.unroll(leaf([4, 2, 5], 7));
        weight.copyFrom(random([...weight.shape], 9));
        expect(() => record.membrane).toThrow("membrane was first read after the current, a state or a parameter was");
        expect(() => spikesOf(record).sum().backward()).toThrow(/a value it needs.* was overwritten/);
      });
    });
  },
);
