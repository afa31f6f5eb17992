/** Layers that were made by the entry without the compiler, before the complete one is loaded: the same bits, and all that takes layers. */
import * as core from "jarvis-snn/core";
import { expect, test } from "vitest";

const { LeakyIntegrator, LIF, manualSeed, rand, randn, surrogate, tape, tensor } = core;

type Layer = core.LIF | core.LeakyIntegrator;

const SURROGATES = [
  surrogate.sigmoid(),
  surrogate.fastSigmoid({ slope: 10 }),
  surrogate.atan({ alpha: 1.5 }),
  surrogate.triangular({ width: 0.8 }),
];

/** 48 sets of options: resets, delays, fire and surrogates; beside them β and θ by their other spellings. */
const SETS: core.LIFOptions[] = SURROGATES.flatMap((kind, k) =>
  (["zero", "subtract", "none"] as const).flatMap((reset, r) =>
    [false, true].flatMap((resetDelay, d) =>
      (["ge", "gt"] as const).map((fire, f) => {
        const usual = { surrogate: kind, reset, resetDelay, fire };
        return [
          { ...usual, beta: 0.8, ...(reset === "zero" && { resetValue: -0.25 }) },
          { ...usual, tau: 7, dt: 0.5, threshold: tensor([0.5, 1, 1.5]) },
          { ...usual, tau: 8, decay: "euler" as const, threshold: 0.75 },
          { ...usual, beta: tensor([0.5, 0.9, 1.25]), constrain: { beta: [0, 2] as const } },
        ][(k + r + d + f) % 4] as core.LIFOptions;
      }),
    ),
  ),
);

/** Further options that need no compiled step. */
const OTHERS: core.LIFOptions[] = [
  {},
  { numerics: "snntorch" },
  { numerics: "snntorch", beta: 0.7, fire: "ge", reset: "zero", resetDelay: false },
  { rest: 0, inputScale: 1, learn: [], learnBeta: false, learnThreshold: false, refractorySteps: 0 },
  { inhibition: false, spiking: true, refractory: "hold", resetInput: false, constrain: { threshold: [0.5, 2] } },
  { start: "rest", reset: "none", detachReset: false },
  { start: "resetValue", reset: "subtract" },
];

const READOUTS: core.LeakyIntegratorOptions[] = [
  {},
  { beta: tensor([0.5, 0.9, 1]) },
  { tau: 4, decay: "euler", learnBeta: false },
  { beta: 1.5, constrain: { beta: [0, 2] } },
];

/** Options that need the compiler, and the word for each in its error. */
const COMPILED: [what: string, options: core.LIFOptions][] = [
  ["rest", { rest: 0.5 }],
  ["rest", { rest: tensor([0, 0, 0]) }],
  ["inputScale", { inputScale: "leak" }],
  ["resetValue", { resetValue: tensor([0, 0, 0]) }],
  ["lowerBound", { lowerBound: -1 }],
  ["learn", { learn: ["beta"] }],
  ["learnBeta", { learnBeta: true }],
  ["learnThreshold", { learnThreshold: true }],
  ["start", { start: "resetValue", resetValue: 0.5 }],
  ["resetInput", { resetInput: true, resetDelay: true }],
  ["detachReset", { detachReset: false }],
  ["refractorySteps", { refractorySteps: 1 }],
  ["refractory", { refractory: "leak" }],
  ["gradedSpikesFactor", { gradedSpikesFactor: 2 }],
  ["inhibition", { inhibition: "output" }],
  ["spiking", { spiking: false }],
  ["constrain.rest", { constrain: { rest: [0, 1] } }],
  ['numerics "norse"', { numerics: "norse" }],
];

/** Errors of values, which both entries have. */
const WRONG: [message: string, options: object][] = [
  ["LIF: beta must be in [0, 1], got 1.5", { beta: 1.5 }],
  ["LIF: beta must be in [0, 1], got 1.5", { beta: tensor([0.5, 1.5]) }],
  ["LIF: threshold must be finite and in the range of float32, got Infinity", { threshold: Number.POSITIVE_INFINITY }],
  ["LIF: expected a known option, got treshold; did you mean threshold?", { treshold: 1 }],
  ["LIF: expected tau with dt, got none", { dt: 0.5 }],
  ['LIF: expected reset "zero" with resetValue, got "subtract"', { reset: "subtract", resetValue: 1 }],
];

const errorOf = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    return (error as Error).message;
  }
  return "none";
};

const compiledErrors = COMPILED.map(([, options]) => errorOf(() => new LIF(options)));
const readoutErrors = [{ rest: 0 }, { inputScale: 1 }, { learn: ["beta"] }, { numerics: "nir" }].map((options) =>
  errorOf(() => new LeakyIntegrator(options as core.LeakyIntegratorOptions)),
);
const wrongErrors = WRONG.map(([, options]) => errorOf(() => new LIF(options)));
const makers: (() => Layer)[] = [
  ...[...SETS, ...OTHERS].map((options) => () => new LIF(options)),
  ...READOUTS.map((options) => () => new LeakyIntegrator(options)),
];
const before = makers.map((make) => make());
/** For the tests that change the layer. */
const spares = Array.from({ length: 6 }, () => new LIF({ beta: 0.75, reset: "subtract" }));
const texts = String(before[0]);
manualSeed(1);
const x = rand([6, 2, 3]).mul(2);
const weights = randn([6, 2, 3]);
/** The results of the layers while there is no other entry. */
const alone = before.map(results);

const complete = await import("jarvis-snn");
const { quantize } = await import("jarvis-snn/quantize");
const { toNIR } = await import("jarvis-snn/nir");

/** All numbers that a layer gives: outputs, the state, the gradients of the current and of the state, and single steps. */
function results(layer: Layer): number[][] {
  manualSeed(2);
  const over = layer as core.LIF;
  const current = x.clone();
  current.requiresGrad = true;
  const numbers = tape(() => {
    const z = over.forward(current);
    z.mul(weights).sum().backward();
    return [z.toFloat32Array(), (current.grad as core.Tensor).toFloat32Array()];
  });
  current.zeroGrad();
  const start = over.initialState([2, 3]);
  const from = core.parameter(rand([2, 3]));
  const given = "v" in start ? { ...start, v: from } : (from as never);
  tape(() => {
    const { state, ...outputs } = over.unroll(current, given);
    let loss = ("v" in state ? state.v : (state as core.Tensor)).sum();
    for (const z of Object.values(outputs)) {
      loss = loss.add(z.mul(weights).sum());
      numbers.push(z.toFloat32Array());
    }
    loss.backward();
    numbers.push((current.grad as core.Tensor).toFloat32Array(), (from.grad as core.Tensor).toFloat32Array());
  });
  let state = start;
  for (let t = 0; t < 6; t++) {
    const [z, next] = over.step(x.select(0, t), state);
    state = next;
    numbers.push(z.toFloat32Array(), ("v" in next ? next.v : (next as core.Tensor)).toFloat32Array());
  }
  return numbers.map((each) => [...each]);
}

test("core: its classes are those of the complete entry", () => {
  expect(LIF).toBe(complete.LIF);
  expect(LeakyIntegrator).toBe(complete.LeakyIntegrator);
});

test(`core: a layer of its own reader gives the bits of the complete entry's, for ${makers.length} sets of options`, () => {
  expect(SETS.length).toBe(48);
  for (const [i, make] of makers.entries()) {
    const layer = before[i] as Layer;
    const other = make();
    expect(results(layer), `set ${i}`).toEqual(results(other));
    expect(layer.namedState().map(([name]) => name)).toEqual(other.namedState().map(([name]) => name));
    expect(layer.parameters()).toEqual([]);
    expect(alone[i]).toEqual(results(other));
  }
});

test("core: an option that needs the compiler is an error that names the complete entry", () => {
  for (const [i, [what, options]] of COMPILED.entries()) {
    expect(compiledErrors[i]).toBe(`LIF: ${what} is compiled; import it from "jarvis-snn"`);
    if (what !== "refractory") new LIF(options);
  }
  expect(readoutErrors).toEqual(
    ["rest", "inputScale", "learn", "numerics"].map(
      (what) => `LeakyIntegrator: ${what} is compiled; import it from "jarvis-snn"`,
    ),
  );
});

test("core: a wrong value is the error that it is in the complete entry", () => {
  for (const [i, [message, options]] of WRONG.entries()) {
    expect(wrongErrors[i]).toBe(message);
    expect(errorOf(() => new LIF(options))).toBe(message);
  }
});

test("core: a layer that was made before gets its equation with the complete entry", () => {
  expect(texts).toBe("LIF()");
  expect(String(before[0])).toBe(String((makers[0] as () => Layer)()));
  expect(before.map(String)).toEqual(makers.map((make) => String(make())));
});

/** LIF of the options of `spares`, made by the complete entry. */
const same = () => new complete.LIF({ beta: 0.75, reset: "subtract" });
const valuesOf = (t: core.Tensor): number[] => [...t.toFloat32Array()];

test("core: streams and recordings take such a layer", () => {
  const [layer] = spares as [core.LIF];
  const stream = new core.Stream(layer, [2, 3]);
  const { layers } = core.record(new core.Sequential(layer), x);
  const spikes = layers["0"]?.spikes as core.Tensor;
  for (let t = 0; t < 6; t++) {
    expect([...stream.step(x.select(0, t).toFloat32Array())]).toEqual(valuesOf(spikes.select(0, t)));
  }
  expect(valuesOf(spikes)).toEqual(valuesOf(same().forward(x)));
  stream.dispose();
});

test("core: Recurrent takes such a layer", () => {
  const outputs = [spares[1] as core.LIF, same()].map((lif) => {
    manualSeed(3);
    return valuesOf(new complete.Recurrent(lif, { features: 3 }).forward(x));
  });
  expect(outputs[0]).toEqual(outputs[1]);
});

test("core: quantize takes such a layer", () => {
  const outputs = [spares[2] as core.LIF, same()].map((lif) =>
    valuesOf(quantize(lif, { state: { bits: 4 }, decays: "shift" }).forward(x)),
  );
  expect(outputs[0]).toEqual(outputs[1]);
});

test("core: toNIR, checkpoints and fromPython take such a layer", () => {
  const lif = spares[3] as core.LIF;
  const options = { dt: 1e-3, inputShape: [3] };
  expect(toNIR(lif, options)).toEqual(toNIR(same(), options));
  const state = new complete.LIF({ beta: 0.5, reset: "subtract", threshold: 2 }).stateDict();
  lif.loadStateDict(state);
  expect([lif.beta.item(), lif.threshold.item()]).toEqual([0.5, 2]);
  const mapped = complete.fromPython(
    { beta: tensor([0.25]), threshold: tensor([1.5]) },
    { model: lif, from: "snntorch" },
  );
  lif.loadStateDict(mapped);
  expect([lif.beta.item(), lif.threshold.item()]).toEqual([0.25, 1.5]);
  expect(() => lif.loadStateDict({ beta: tensor([1.5]), threshold: tensor([1]) })).toThrow("beta");
});

test("core: a parameter of such a layer can be learned from then on", () => {
  const lif = spares[4] as core.LIF;
  const other = same();
  for (const each of [lif, other]) each.beta.requiresGrad = true;
  const gradients = [lif, other].map((each) =>
    tape(() => {
      each.forward(x).mul(weights).sum().backward();
      return valuesOf(each.beta.grad as core.Tensor);
    }),
  );
  expect(gradients[0]).toEqual(gradients[1]);
});
