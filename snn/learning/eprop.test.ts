import type { EPropState, Module, Tensor } from "jarvis-snn";
import {
  Adam,
  AdaptiveLIF,
  crossEntropy,
  Delay,
  Dropout,
  EProp,
  Generator,
  gradcheck,
  LeakyIntegrator,
  LIF,
  Linear,
  manualSeed,
  memoryStats,
  mseLoss,
  neuron,
  ones,
  parameter,
  Recurrent,
  RecurrentLIF,
  rand,
  randn,
  Sequential,
  SynapticIntegrator,
  stack,
  tape,
  tensor,
  zeros,
} from "jarvis-snn";
import { quantize } from "jarvis-snn/quantize";
import { beforeEach, describe, expect, test } from "vitest";
import { expectClose } from "../../test/support/close.ts";
import { mainOf } from "../../test/support/layers.ts";
import { NEURON_NAMES, NEURON_ROWS, neuronClass } from "../../test/support/neuron-rows.ts";
import { bits } from "../../test/support/tensors.ts";

beforeEach(() => manualSeed(7));

const squared = (y: Tensor, target: Tensor): Tensor => mseLoss(y, target);

interface Stepping {
  step(current: Tensor, state: never): readonly [Tensor, unknown];
  initialState(shape: readonly number[]): unknown;
}

/** Gradients by the tape, with recurrent spikes detached. */
function cutGradients(
  layers: readonly Module[],
  inputs: readonly Tensor[],
  targets: readonly (Tensor | null)[],
  scale: number,
): Map<string, number[]> {
  const parameters = layers.flatMap((layer, i) =>
    layer.namedParameters().map(([name, t]) => [`${i}.${name}`, t] as const),
  );
  for (const [, t] of parameters) t.zeroGrad();
  tape(() => {
    const states: unknown[] = [];
    const fired: Tensor[] = [];
    const losses: Tensor[] = [];
    inputs.forEach((x, t) => {
      let z = x;
      layers.forEach((layer, i) => {
        if (layer instanceof Linear) {
          z = layer.forward(z);
          return;
        }
        const neurons = (layer instanceof Recurrent ? layer.neuron : layer) as unknown as Stepping;
        const current =
          layer instanceof Recurrent && layer.recurrent !== null
            ? z.add(layer.recurrent.forward((fired[i] ?? zeros(z.shape)).detach()))
            : z;
        [z, states[i]] = neurons.step(current, (states[i] ?? neurons.initialState(current.shape)) as never);
        fired[i] = z;
      });
      const target = targets[t];
      if (target !== null && target !== undefined) losses.push(squared(z, target).mul(scale));
    });
    losses.reduce((sum, x) => sum.add(x)).backward();
  });
  return new Map(parameters.map(([name, t]) => [name, [...(t.grad ?? zeros(t.shape)).toFloat32Array()]]));
}

function onlineGradients(
  rule: EProp<Tensor>,
  layers: readonly Module[],
  inputs: readonly Tensor[],
  targets: readonly (Tensor | null)[],
): Map<string, number[]> {
  const parameters = layers.flatMap((layer, i) =>
    layer.namedParameters().map(([name, t]) => [`${i}.${name}`, t] as const),
  );
  for (const [, t] of parameters) t.zeroGrad();
  let state: EPropState | undefined;
  inputs.forEach((x, t) => {
    state = rule.step(x, targets[t] ?? null, state).state;
  });
  return new Map(parameters.map(([name, t]) => [name, [...(t.grad ?? zeros(t.shape)).toFloat32Array()]]));
}

function expectSame(got: Map<string, number[]>, wanted: Map<string, number[]>): void {
  for (const [name, values] of wanted) {
    const most = Math.max(...values.map(Math.abs));
    expect(most, `${name} has a gradient`).toBeGreaterThan(0);
    expectClose(
      name,
      tensor(got.get(name) as number[]),
      { shape: [values.length], data: values },
      { absolute: 2e-4 * most, relative: 0 },
    );
  }
}

const [B, IN, N, K, T] = [3, 4, 5, 2, 12];
const random = (shape: number[], scale: number, offset = 0) => rand(shape).mul(scale).add(offset);

function compare(layers: readonly Module[], scale: number, offset = 0): void {
  const inputs = Array.from({ length: T }, () => random([B, IN], scale, offset));
  const targets = Array.from({ length: T }, (_, t) => (t % 3 === 1 ? null : randn([B, K])));
  const rule = new EProp<Tensor>(layers, { loss: squared });
  expectSame(onlineGradients(rule, layers, inputs, targets), cutGradients(layers, inputs, targets, 1));
}

const Integrating = neuron({
  name: "Integrating",
  state: { w: 0, v: 0, f: 0.5 },
  parameters: { beta: 0.8, rho: 0.9 },
  step({ current, v, w, f, beta, rho, spike }) {
    const s = spike(v.mul(beta).add(current).tanh().sub(f.mul(0.5)).sub(w.mul(0.1)));
    return { spikes: s, v: v.mul(beta).add(current), w: w.mul(rho).add(v.square()), f: f.mul(0.9).add(s.mul(v)) };
  },
});

/** Neurons with defaults, except that none learns a parameter, and currents with which they fire. */
const USUAL = NEURON_NAMES.filter((name) => mainOf(new (neuronClass(name))()) === "spikes").map(
  (name): [string, [make: () => Module & Stepping, scale: number]] => {
    const Class = neuronClass(name);
    return [name, [() => new Class({ learn: [] }), NEURON_ROWS[name].currents?.[1] ?? 3]];
  },
);

const NEURONS: Readonly<Record<string, [make: () => Module & Stepping, scale: number, offset?: number]>> = {
  ...Object.fromEntries(USUAL),
  "LIF, reset to zero": [() => new LIF(), 3],
  "LIF, subtract": [() => new LIF({ reset: "subtract" }), 3],
  "LIF, each neuron its own decay": [() => new LIF({ reset: "subtract", beta: tensor([0.5, 0.6, 0.7, 0.8, 0.9]) }), 3],
  "LIF of snnTorch": [() => new LIF({ numerics: "snntorch" }), 3],
  "LIF of SpikingJelly": [() => new LIF({ numerics: "spikingjelly" }), 6],
  "LIF, refractory": [() => new LIF({ reset: "subtract", refractorySteps: 2 }), 3],
  "one of equations": [() => new Integrating(), 3],
};

describe("gradients are those of the tape with the spikes between neurons cut", () => {
  for (const [name, [make, scale, offset]] of Object.entries(NEURONS)) {
    test(name, () => {
      const recurrent = new Recurrent(make() as never, { features: N });
      compare([new Linear(IN, N), recurrent, new Linear(N, K), new LeakyIntegrator({ beta: 0.7 })], scale, offset);
    });
  }

  test("readouts: an integrator that scales its input, two states, and weights alone", () => {
    const readouts = [
      [new LeakyIntegrator({ beta: 0.7, inputScale: "leak" })],
      [new SynapticIntegrator({ alpha: 0.6, beta: 0.8 })],
      [],
    ];
    for (const readout of readouts) {
      for (const make of [() => new LIF({ reset: "subtract" }), () => new AdaptiveLIF({ kappa: 0.3 })]) {
        const hidden = new Recurrent(make() as never, { features: N, bias: false });
        compare([new Linear(IN, N), hidden, new Linear(N, K, { bias: false }), ...readout], 3);
      }
    }
  });

  test("neurons that do not feed each other, and that take the input as their current", () => {
    compare([new Linear(IN, N, { bias: false }), new LIF(), new Linear(N, K), new LeakyIntegrator()], 4);
    compare([new LIF(), new Linear(IN, K), new LeakyIntegrator()], 4);
    compare([new LIF(), new Linear(IN, K)], 4);
    compare([new RecurrentLIF({ features: IN }), new Linear(IN, K), new LeakyIntegrator()], 1);
  });
});

/** Gradients of a network by name, after a step of each input. */
function gradientsOf(
  layers: readonly Module[],
  make: () => EProp<Tensor>,
  inputs: readonly Tensor[],
  targets: readonly Tensor[],
) {
  return onlineGradients(make(), layers, inputs, targets);
}

describe("layers one above the other", () => {
  const network = () => {
    return [
      new Linear(IN, N),
      new LIF({ reset: "subtract" }),
      new Linear(N, N + 1),
      new Recurrent(new AdaptiveLIF({ kappa: 0.3, threshold: 0.1 }), { features: N + 1 }),
      new Linear(N + 1, K),
    ];
  };

  test("with one step and symmetric feedback, gradients are those of the tape", () => {
    const layers = network();
    const inputs = [random([B, IN], 6)];
    const targets = [randn([B, K])];
    const rule = new EProp<Tensor>(layers, { loss: squared });
    const got = onlineGradients(rule, layers, inputs, targets);
    const wanted = cutGradients(layers, inputs, targets, 1);
    // Nothing has been fed back.
    for (const map of [got, wanted]) map.delete("3.recurrent.weight");
    expectSame(got, wanted);
  });

  test("feedback of the weights of the readout is symmetric feedback, and each layer has its own", () => {
    const layers = network();
    const inputs = Array.from({ length: 4 }, () => random([B, IN], 6));
    const targets = inputs.map(() => randn([B, K]));
    const readout = (layers[4] as Linear).weight.transpose();
    const given = [randn([N, K]), readout];
    const symmetric = gradientsOf(layers, () => new EProp<Tensor>(layers, { loss: squared }), inputs, targets);
    const own = gradientsOf(
      layers,
      () => new EProp<Tensor>(layers, { loss: squared, feedback: given }),
      inputs,
      targets,
    );
    for (const name of ["2.weight", "2.bias", "3.recurrent.weight", "4.weight", "4.bias"])
      expect(own.get(name)).toEqual(symmetric.get(name));
    expect(own.get("0.weight")).not.toEqual(symmetric.get("0.weight"));
  });

  test("random feedback comes from the generator, stays, and differs from layer to layer", () => {
    const layers = network();
    const make = (seed: number) =>
      new EProp(layers, { loss: squared, feedback: "random", generator: new Generator(seed) });
    const [first, again, other] = [make(1), make(1), make(2)].map(({ feedback }) => feedback?.map((t) => t.toArray()));
    expect(first).toEqual(again);
    expect(first).not.toEqual(other);
    expect(make(1).feedback?.map(({ shape }) => [...shape])).toEqual([
      [N, K],
      [N + 1, K],
    ]);
    expect(new EProp(layers, { loss: squared }).feedback).toBeNull();
  });
});

const small = (hidden = N) => [
  new Linear(IN, hidden),
  new Recurrent(new AdaptiveLIF({ kappa: 0.3 }), { features: hidden }),
  new Linear(hidden, K),
  new LeakyIntegrator({ beta: 0.8 }),
];

describe("a step", () => {
  test("gives the output of the network, to the bit", () => {
    const layers = small();
    const inputs = Array.from({ length: T }, () => random([B, IN], 3));
    const rule = new EProp<Tensor>(new Sequential(...layers), { loss: squared });
    let state: EPropState | undefined;
    const outputs = inputs.map((x) => {
      const step = rule.step(x, null, state);
      state = step.state;
      expect(step.loss).toBeNull();
      return step.output;
    });
    expect(stack(outputs).toArray()).toEqual(new Sequential(...layers).forward(stack(inputs)).toArray());
    for (const layer of layers) for (const t of layer.parameters()) expect(t.grad).toBeNull();
  });

  test("adds to gradients that are there, and leaves weights that want none alone", () => {
    const layers = small();
    const [first, , last] = layers as [Linear, Module, Linear];
    first.weight.requiresGrad = false;
    const rule = new EProp<Tensor>(layers, { loss: squared });
    const x = random([B, IN], 3);
    const target = randn([B, K]);
    rule.step(x, target);
    const once = (last.bias as Tensor).grad?.clone() as Tensor;
    rule.step(x, target);
    expect((last.bias as Tensor).grad?.toArray()).toEqual(once.mul(2).toArray());
    expect(first.weight.grad).toBeNull();
  });

  test("of a mean over the batch gives the mean of the gradients of samples", () => {
    const layers = small();
    const inputs = Array.from({ length: T }, () => random([B, IN], 3));
    const targets = inputs.map(() => randn([B, K]));
    const all = onlineGradients(new EProp<Tensor>(layers, { loss: squared }), layers, inputs, targets);
    const sums = new Map<string, number[]>();
    for (let b = 0; b < B; b++) {
      const of = (list: Tensor[]) => list.map((t) => t.slice(0, b, b + 1).clone());
      const own = onlineGradients(new EProp<Tensor>(layers, { loss: squared }), layers, of(inputs), of(targets));
      for (const [name, values] of own) {
        const sum = sums.get(name) ?? values.map(() => 0);
        sums.set(
          name,
          sum.map((x, i) => x + (values[i] as number) / B),
        );
      }
    }
    expectSame(all, sums);
  });

  test("takes class indices, and runs inside of a tape", () => {
    const layers = small();
    const rule = new EProp(new Sequential(...layers), { loss: crossEntropy });
    const x = random([B, IN], 3);
    const outside = rule.step(x, [0, 1, 1]);
    const gradient = layers[0]?.parameters()[0]?.grad?.toArray();
    for (const layer of layers) layer.zeroGrad();
    const state = tape(() => {
      const { output, state, loss } = rule.step(x, Int32Array.of(0, 1, 1));
      expect(output.toArray()).toEqual(outside.output.toArray());
      expect(loss).toBe(outside.loss);
      return state;
    });
    expect(layers[0]?.parameters()[0]?.grad?.toArray()).toEqual(gradient);
    expect(rule.step(x, null, state).output.toArray()).toEqual(rule.step(x, null, outside.state).output.toArray());
  });

  test("goes on from a clone of a state as from the state, which it uses up", () => {
    const rule = new EProp<Tensor>(small(), { loss: squared });
    const x = random([B, IN], 3);
    let { state } = rule.step(x, null);
    for (let t = 0; t < 5; t++) ({ state } = rule.step(x, null, state));
    const clone = tape(() => ({
      layers: state.layers.map((layer) =>
        Object.fromEntries(Object.entries(layer).map(([name, t]) => [name, t.clone()])),
      ),
    }));
    const next = rule.step(x, null, state);
    const again = rule.step(x, null, clone);
    expect(again.output.toArray()).toEqual(next.output.toArray());
    const values = ({ layers }: EPropState) => layers.map((layer) => Object.values(layer).map((t) => t.toArray()));
    expect(values(again.state)).toEqual(values(next.state));
    expect(() => rule.step(x, null, state)).toThrow("EProp: the state was used up by a later step, or freed");
    expect(() => rule.step(x, null, clone)).toThrow("used up");
  });

  test("takes a part of its own state as an input", () => {
    const layers = [new Linear(N, N, { bias: false }), new LIF({ reset: "subtract" }), new Linear(N, K)];
    const run = (copy: (x: Tensor) => Tensor) => {
      for (const layer of layers) layer.zeroGrad();
      const rule = new EProp<Tensor>(layers, { loss: squared });
      let { state } = rule.step(ones([B, N]).mul(2), null);
      for (let t = 0; t < 3; t++) ({ state } = rule.step(copy(state.layers[0]?.v as Tensor), zeros([B, K]), state));
      return layers.flatMap((layer) => layer.parameters().map((t) => t.grad?.toArray()));
    };
    expect(run((x) => x)).toEqual(run((x) => x.clone()));
    expect(run((x) => x.slice(0, 0, B))).toEqual(run((x) => x.clone()));
  });

  test("a network learns from it", () => {
    const layers = small(20);
    const rule = new EProp<Tensor>(layers, { loss: squared });
    const optimizer = new Adam(
      layers.flatMap((layer) => layer.parameters()),
      { lr: 0.01 },
    );
    const inputs = Array.from({ length: 30 }, () => random([1, IN], 3));
    const targets = inputs.map((_, t) => tensor([[Math.sin(t / 4), Math.cos(t / 5)]]));
    const epoch = (): number => {
      optimizer.zeroGrad();
      let state: EPropState | undefined;
      let total = 0;
      inputs.forEach((x, t) => {
        const step = rule.step(x, targets[t] as Tensor, state);
        state = step.state;
        total += step.loss as number;
      });
      optimizer.step();
      return total;
    };
    const before = epoch();
    let after = before;
    for (let i = 0; i < 40; i++) after = epoch();
    expect(after).toBeLessThan(before / 2);
  });
});

describe("memory", () => {
  for (const readout of ["integrator", "weights alone"]) {
    test(`does not grow with the number of steps: ${readout}`, () => {
      const layers = small(6).slice(0, readout === "integrator" ? 4 : 3);
      const rule = new EProp<Tensor>(layers, { loss: squared });
      const inputs = Array.from({ length: 10 }, () => random([B, IN], 3));
      const target = randn([B, K]);
      const run = (steps: number): Readonly<Record<string, number>> => {
        let state: EPropState | undefined;
        let peak = 0;
        let live = 0;
        const before = memoryStats().live;
        for (let t = 0; t < steps; t++) {
          const step = rule.step(inputs[t % 10] as Tensor, t % 2 === 0 ? target : null, state);
          step.output.dispose();
          state = step.state;
          live = memoryStats().live - before;
          peak = Math.max(peak, live);
        }
        for (const layer of state?.layers ?? []) for (const t of Object.values(layer)) t.dispose();
        return { live, peak, left: memoryStats().live - before };
      };
      // The first steps allocate persistent memory: gradients, and copies of the weights.
      run(4);
      const [few, many] = [run(100), run(1000)];
      expect(many).toEqual(few);
      expect(few.left).toBe(0);
    });
  }
});

test("a rule refuses parameters that were replaced and neurons that were quantized since", () => {
  const make = () => {
    const hidden = new Recurrent(new LIF({ threshold: 0.5 }), { features: N });
    const layers = { linear: new Linear(IN, N), recurrent: hidden.recurrent as Linear, lif: hidden.neuron };
    const model = new Sequential(layers.linear, hidden, new Linear(N, K), new LeakyIntegrator());
    return { ...layers, model, rule: new EProp(model, { loss: squared }) };
  };
  type Made = ReturnType<typeof make>;
  const put = (object: object, name: string, value: unknown) => void Object.assign(object, { [name]: value });
  const changes: [change: (made: Made) => void, message: string][] = [
    [({ linear }) => put(linear, "weight", parameter(ones([N, IN]))), "Linear has another weight"],
    [({ recurrent }) => put(recurrent, "weight", parameter(ones([1, 1]))), "Linear has another weight"],
    [({ linear }) => put(linear, "bias", null), "Linear has another bias"],
    [({ lif }) => put(lif, "threshold", parameter(ones([]))), "LIF has another threshold"],
    [({ model }) => void quantize(model, { state: { bits: 2 } }), "LIF has another step"],
    [({ model }) => void quantize(model, { weights: { bits: 2 } }), "Linear has another mask or grid"],
  ];
  for (const [change, message] of changes) {
    const made = make();
    const x = ones([2, IN]);
    const { state } = made.rule.step(x, null);
    change(made);
    const expected = new Error(`EProp: ${message} now; make another EProp`);
    expect(() => made.rule.step(x, null, state)).toThrow(expected);
  }
  const { model } = make();
  quantize(model, { state: { bits: 2 }, weights: { bits: 4 } });
  const rule = new EProp(model, { loss: squared });
  const x = random([6, 2, IN], 3);
  const outputs = model.forward(x);
  let state: ReturnType<typeof rule.step>["state"] | undefined;
  for (const [t, now] of x.unbind(0).entries()) {
    const step = rule.step(now, null, state);
    state = step.state;
    expect(bits(step.output)).toEqual(bits(outputs.select(0, t)));
  }
});

describe("errors", () => {
  const readout = () => [new Linear(N, K), new LeakyIntegrator()];
  const hidden = () => [new Linear(IN, N), new Recurrent(new LIF(), { features: N })];
  const make = (model: unknown, options: object = {}) =>
    new EProp(model as Module, { loss: squared, ...options } as never);

  test("of models that cannot have the rule say which layers it takes", () => {
    const expected =
      "EProp: expected Linear, neurons or Recurrent in turns, and Linear or Linear and LeakyIntegrator at the end, got ";
    const cases: [unknown, string][] = [
      [[...hidden(), ...readout(), new LIF()], `${expected}LIF behind the readout`],
      [
        [new Linear(IN, N), new Linear(N, N), new LIF(), ...readout()],
        `${expected}two Linear without neurons between them`,
      ],
      [hidden(), `${expected}neurons with spikes at the end`],
      [new Linear(IN, K), `${expected}no neurons with spikes`],
      [readout(), `${expected}LeakyIntegrator without neurons with spikes before it`],
      [[...hidden(), new LeakyIntegrator()], `${expected}LeakyIntegrator without Linear before it`],
      [[...hidden(), new Dropout(), ...readout()], `${expected}Dropout`],
      [[...hidden(), new Delay(1), ...readout()], `${expected}Delay`],
      [[new Linear(IN, N), new LIF({ inhibition: true }), ...readout()], `${expected}LIF`],
      [
        [new Recurrent(new LIF(), { features: N, connection: "one" }), ...readout()],
        'Recurrent with the connection "all", got "one"',
      ],
      [[...hidden(), new Linear(N + 1, K)], "EProp: expected Linear with 5 inputs, the neurons before it, got 6"],
      [
        [new Linear(IN, N + 1), new Recurrent(new LIF(), { features: N }), ...readout()],
        "EProp: expected Recurrent of 6 features, the outputs of Linear, got 5",
      ],
      [
        [new Linear(IN, N), new LIF({ learnBeta: true }), ...readout()],
        "whose parameters are not learned; the rule is one for weights, got learn in LIF",
      ],
      [
        [...hidden(), new Linear(N, K), new LeakyIntegrator({ beta: tensor([0.5, 0.6]) })],
        "EProp: expected a linear readout whose neurons share their parameters, got LeakyIntegrator",
      ],
    ];
    for (const [model, message] of cases) expect(() => make(model), message).toThrow(message);
    for (const [model] of cases) expect(() => make(model)).toThrow(RangeError);
    for (const model of [null, 1, {}, "LIF", [null]]) expect(() => make(model)).toThrow(TypeError);
  });

  test("of options", () => {
    const model = [...hidden(), ...readout()];
    expect(() => make(model, { loss: undefined })).toThrow("EProp: expected loss as a function, got undefined");
    expect(() => make(model, { reward: 1 })).toThrow(TypeError);
    expect(() => make(model, { feedback: "fixed" })).toThrow(
      'EProp: expected feedback "symmetric", "random", a tensor or a list of tensors',
    );
    expect(() => make(model, { feedback: zeros([K, N]) })).toThrow(
      "EProp: expected feedback of shape [5, 2], got [2, 5]",
    );
    expect(() => make(model, { feedback: [] })).toThrow("EProp: expected feedback for 1 hidden layers, got 0 tensors");
    expect(() => make(model, { feedback: [1] })).toThrow(TypeError);
    expect(() => make(model, { generator: 1 })).toThrow(TypeError);
  });

  test("of steps come before anything is written", () => {
    const model = [...hidden(), ...readout()];
    const rule = make(model) as EProp<Tensor>;
    const x = rand([B, IN]);
    const y = randn([B, K]);
    const { state } = rule.step(x, y);
    const now = () => [
      ...state.layers.flatMap((layer) => Object.values(layer).map((t) => t.toArray())),
      ...model.flatMap((layer) => layer.parameters().map((t) => t.grad?.toArray())),
    ];
    const before = now();
    const other = (
      make([new Linear(IN, N), new Recurrent(new AdaptiveLIF(), { features: N }), ...readout()]) as EProp<Tensor>
    ).step(x, null);
    const cases: [() => unknown, string, new () => Error][] = [
      [
        () => rule.step(zeros([B, IN + 1]), y, state),
        "EProp: expected the input of one step, [B, 4], got [3, 5]",
        RangeError,
      ],
      [
        () => rule.step(zeros([T, B, IN]), y, state),
        "EProp: expected the input of one step, [B, 4], got [12, 3, 4]",
        RangeError,
      ],
      [() => rule.step(x, zeros([B, K + 1]), state), "mseLoss", RangeError],
      [
        () => rule.step(x, undefined as never, state),
        "EProp: expected a target, or null for no learning signal, got undefined",
        TypeError,
      ],
      [
        () => rule.step(x.slice(0, 0, 2), null, state),
        "EProp: expected a state i of shape [2, 5]".replace(" i ", " v "),
        RangeError,
      ],
      [
        () => rule.step(x, null, {} as never),
        "EProp: expected a state as step returns it, { layers }, got object",
        TypeError,
      ],
      [
        () => rule.step(x, null, { layers: [] }),
        "EProp: expected a state of 2 layers, got 0; is it that of another model?",
        RangeError,
      ],
      [
        () => rule.step(x, null, { layers: [{}, {}] }),
        "EProp: expected a state with v as a tensor in layer 0, got undefined",
        TypeError,
      ],
      [
        () => rule.step(x, null, other.state),
        "EProp: expected a state ε v of shape [3, 5, 10], got [3, 10]",
        RangeError,
      ],
      [() => rule.step(1 as never, null), "EProp: expected a tensor, got 1", TypeError],
    ];
    for (const [call, message, kind] of cases) {
      expect(call, message).toThrow(message);
      expect(call).toThrow(kind);
      expect(now()).toEqual(before);
    }
    const losses: [() => unknown, string][] = [
      [() => 1, "EProp: expected a loss that gives a tensor, got 1"],
      [() => tensor(1), "EProp: expected a loss that depends on the output"],
      [() => zeros([2], { requiresGrad: true }).sum(), "EProp: expected a loss that depends on the output"],
    ];
    for (const [loss, message] of losses) {
      const own = make(model, { loss }) as EProp<Tensor>;
      expect(() => own.step(x, y, state)).toThrow(message);
      expect(now()).toEqual(before);
    }
    expect(() => rule.step(x, null, state)).not.toThrow();
  });

  test("of neurons whose parameters fit another number of neurons, or were freed", () => {
    const threshold = tensor([0.5, 0.6, 0.7]);
    const neurons = new LIF({ threshold });
    const rule = make([new Linear(IN, N), neurons, ...readout()]) as EProp<Tensor>;
    expect(() => rule.step(rand([B, IN]), null)).toThrow(RangeError);
    const other = new LIF();
    const freed = make([new Linear(IN, N), other, ...readout()]) as EProp<Tensor>;
    other.beta.dispose();
    expect(() => freed.step(rand([B, IN]), null)).toThrow("was freed");
    const [weights] = [new Linear(IN, N)];
    const gone = make([weights, new LIF(), ...readout()]) as EProp<Tensor>;
    (weights as Linear).weight.dispose();
    expect(() => gone.step(rand([B, IN]), null)).toThrow("EProp: ");
  });

  test("inside of gradcheck", () => {
    const rule = make([...hidden(), ...readout()]) as EProp<Tensor>;
    const fn = (x: Tensor) => rule.step(x, null).output.sum();
    expect(() => gradcheck(fn, [rand([B, IN])])).toThrow("EProp: it keeps its state in linear memory");
  });

  test("of symmetric feedback where it cannot pass a layer", () => {
    const late = neuron({
      name: "Late",
      state: { v: 0 },
      parameters: { beta: 0.9 },
      step: ({ current, v, beta, spike }) => ({ spikes: spike(v.sub(1)), v: v.mul(beta).add(current) }),
    });
    const model = [new Linear(IN, N), new LIF(), new Linear(N, N), new late(), new Linear(N, K)];
    expect(() => make(model)).toThrow(
      'EProp: expected feedback "random", or a Linear and neurons that pass a symmetric signal on',
    );
    expect(() => make(model, { feedback: "random" })).not.toThrow();
  });
});
