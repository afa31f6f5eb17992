/** Plain neurons on their kernels against the compiled step with the same equations. */
import { expect, test, vi } from "vitest";
import { coreKernels } from "../../engine/core/wasm.ts";
import { withReference } from "../../engine/gradcheck.ts";
import { gradcheck, linear, noGrad, type Tensor, tape, tensor, warmup, zeros } from "../../engine/index.ts";
import { emptySpikesOf } from "../../engine/unchecked.ts";
import { RESETS } from "../../kernels/reference/kinds.ts";
import { Random } from "../../test/fuzz/random.ts";
import { bits, bytesKept, expectNear, leaf, random } from "../../test/support/tensors.ts";
import { LeakyIntegrator, LIF, neuron, record, Stream, type Surrogate, surrogate } from "../index.ts";
import { Plain, type PlainOptions } from "./plain.ts";
import { fired } from "./reset.ts";
import { columnCount, NeuronRun, noteParameters } from "./run.ts";

const SURROGATES: readonly Surrogate[] = [
  surrogate.sigmoid(),
  surrogate.sigmoid({ slope: 3.3 }),
  surrogate.fastSigmoid(),
  surrogate.superSpike(),
  surrogate.atan(),
  surrogate.erf(),
  surrogate.triangular({ width: 0.8 }),
  surrogate.boxcar({ width: 0.6 }),
  surrogate.straightThrough(),
];

const OUTPUTS = ["z", "membrane", "v", "last"] as const;
type Output = (typeof OUTPUTS)[number];

/** A run that was drawn. Arrays contain the values from which both sides make their own tensors. */
interface Case {
  readonly reset: keyof typeof RESETS;
  readonly delayed: boolean;
  readonly strict: boolean;
  readonly resetValue: number;
  /** Null for a readout. */
  readonly surrogate: Surrogate | null;
  readonly T: number;
  /** Shape of a step; the last axis counts the neurons. */
  readonly shape: readonly number[];
  /** The current has a time axis. */
  readonly isSequence: boolean;
  readonly isConstant: boolean;
  /** Backward reaches a leaf or another op's output, or the current needs no gradient. */
  readonly input: "leaf" | "output" | "constant";
  readonly current: readonly number[];
  readonly from: readonly number[] | null;
  readonly fromLearns: boolean;
  readonly beta: readonly number[];
  readonly threshold: readonly number[];
  /** The outputs that a loss reads. */
  readonly reads: readonly Output[];
  /** How a gradient comes to z. */
  readonly form: "whole" | "repeats" | "product";
  readonly over: boolean;
  readonly seed: number;
}

/** A run with random options, of T steps of this shape. */
function draw(seed: number, given?: { readonly T: number; readonly shape: readonly number[] }): Case {
  const r = new Random(seed);
  const small = [[1, 1], [1, 4], [3], [2, 7], [3, 16], [2, 3, 5], [3, 33], [1, 531], [2, 600], [5, 20]];
  const { T, shape } = given ?? { T: r.chance(0.3) ? 1 : r.int(2, r.pick([3, 9, 40])), shape: r.pick(small) };
  const size = shape.reduce((product, n) => product * n, 1);
  const n = shape[shape.length - 1] as number;
  const numbers = (count: number, low: number, high: number) =>
    Array.from({ length: count }, () => r.number(low, high));
  const isReadout = r.chance(0.25);
  const isSequence = T > 1 || r.chance(0.5);
  const isConstant = isSequence && r.chance(0.25);
  const reads = r.chance(0.4) ? (["z"] as const) : r.some(OUTPUTS);
  return {
    reset: isReadout ? "none" : r.pick(Object.keys(RESETS) as (keyof typeof RESETS)[]),
    delayed: !isReadout && r.chance(0.5),
    strict: r.chance(0.5),
    resetValue: r.pick([0, -0.25, 0.5]),
    surrogate: isReadout ? null : r.pick(SURROGATES),
    T,
    shape,
    isSequence,
    isConstant,
    input: r.pick(["leaf", "output", "output", "constant"]),
    current: numbers(isConstant ? size : T * size, -0.5, 1.25),
    from: r.chance(0.5) ? numbers(size, -1, 1.5) : null,
    fromLearns: r.chance(0.6),
    beta: numbers(r.chance(0.5) ? 1 : n, 0.5, 1),
    threshold: numbers(r.chance(0.5) ? 1 : n, 0.25, 1.25),
    reads: reads.length === 0 ? ["last"] : reads,
    form: r.pick(["whole", "repeats", "product"]),
    over: reads.every((output) => output === "z" || output === "last") && r.chance(0.5),
    seed,
  };
}

/** The results of a run: outputs, of which series over time are made when they are read, and gradients. */
type Results = Record<string, readonly number[]>;
type Run = (current: Tensor, from: Tensor | null) => (output: Output) => Tensor;

function results(c: Case, run: Run): Results {
  const { T, shape, isSequence, seed } = c;
  const steps = isSequence ? [T] : [];
  const x = tensor(c.current, {
    shape: c.isConstant ? shape : [...steps, ...shape],
    requiresGrad: c.input !== "constant",
  });
  const from = c.from && tensor(c.from, { shape, requiresGrad: c.fromLearns });
  return tape(() => {
    const made = c.input === "output" ? x.mul(1) : x;
    const read = run(c.isConstant ? made.expand([...steps, ...shape]) : made, from);
    const shown = OUTPUTS.filter((name) => !c.over || name === "z" || name === "last");
    const outputs: Results = Object.fromEntries(shown.map((name) => [name, bits(read(name))]));
    const terms = c.reads.map((name, i) => weighted(c, read(name), name === "z" ? c.form : "whole", seed + i));
    const loss = terms.reduce((sum, term) => sum.add(term));
    if (loss.requiresGrad) loss.backward();
    const numbers = (t: Tensor | null) => (t === null || t.grad === null ? [] : Array.from(t.grad.data));
    return { ...outputs, dCurrent: numbers(x), dFrom: numbers(from) };
  });
}

/** A weighted sum, whose gradient comes in this form. */
function weighted({ T, isSequence }: Case, z: Tensor, form: Case["form"], seed: number): Tensor {
  let y = z;
  if (form === "repeats" && isSequence) y = z.mean({ axis: 0 });
  if (form === "product" && z.ndim > 1) y = linear(z, random([3, z.shape.at(-1) as number], seed + 1));
  return y.mul(random(y.shape, seed + T)).sum();
}

/** A run; outputs besides the main one may be read later unless it is `over` its current. */
const runPlain = (
  plain: Plain,
  current: Tensor,
  T: number,
  beta: Tensor,
  threshold: Tensor | null,
  from: Tensor | null,
  shape: readonly number[] | null,
  over: boolean,
): NeuronRun => {
  const parameters = threshold === null ? [beta] : [beta, threshold];
  return new NeuronRun(plain, current, T, parameters, [from]).forward(!over, shape, over);
};

const plainOutput = (run: NeuronRun, name: "membrane" | "v"): Tensor =>
  run.names[0] === name ? run.z : run.output(run.names.indexOf(name));

const plainOf = ({ reset, delayed, strict, resetValue, surrogate }: Case): Plain =>
  new Plain(surrogate === null ? "LeakyIntegrator" : "LIF", {
    reset: RESETS[reset],
    delayed: delayed ? 1 : 0,
    strict: strict ? 1 : 0,
    resetValue,
    surrogate,
  });

function onKernels(c: Case): Results {
  const plain = plainOf(c);
  const [beta, threshold] = [tensor(c.beta), c.surrogate === null ? null : tensor(c.threshold)];
  return results(c, (current, from) => {
    const run = runPlain(plain, current, c.T, beta, threshold, from, c.shape, c.over);
    return (output) => outputOf(run, output);
  });
}

const outputOf = (run: NeuronRun, name: Output): Tensor =>
  name === "z" ? run.z : name === "last" ? (run.last[0] as Tensor) : plainOutput(run, name);

/** The same equations as a neuron of one's own, which is compiled. */
function compiled(c: Case): Results {
  const { reset, delayed, resetValue, strict, surrogate } = c;
  const choices = { reset, resetDelay: delayed, resetInput: false, detachReset: true };
  const LIF = neuron({
    name: "Compiled",
    state: { v: 0 },
    parameters: { beta: 0.95, threshold: 1 },
    step(argument) {
      const { current, v, beta, threshold } = argument;
      const decay = (x: typeof v) => x.mul(beta);
      const {
        spikes,
        membrane,
        v: after,
      } = fired(argument, choices, { v, threshold, resetValue, decay, input: current });
      return { spikes, membrane, v: after };
    },
  });
  const Integrator = neuron({
    name: "Compiled",
    state: { v: 0 },
    parameters: { beta: 0.95 },
    step({ current, v, beta }) {
      const u = v.mul(beta).add(current);
      return { membrane: u, v: u };
    },
  });
  const one = (list: readonly number[]) => (list.length === 1 ? (list[0] as number) : tensor(list));
  const [beta, threshold] = [one(c.beta), one(c.threshold)];
  const layer =
    surrogate === null ? new Integrator({ beta }) : new LIF({ beta, threshold, surrogate, fire: strict ? "gt" : "ge" });
  return results(c, (current, from) => {
    const state = from === null ? undefined : { v: from };
    const sequence = c.isSequence ? current : current.unsqueeze(0);
    const record = layer.unroll(sequence, state as never) as unknown as Record<string, Tensor> & {
      state: { v: Tensor };
    };
    return (output) => {
      if (output === "last") return record.state.v;
      const t = record[output === "z" ? (layer instanceof LIF ? "spikes" : "membrane") : output] as Tensor;
      return c.isSequence ? t : t.squeeze(0);
    };
  });
}

/** Where both sides differ, in words. */
function differences(c: Case): string[] {
  const [got, want] = [onKernels(c), compiled(c)];
  return Object.keys(want).flatMap((name) => {
    const [a, b] = [got[name] as readonly number[], want[name] as readonly number[]];
    const at = b.findIndex((x, i) => !Object.is(x, a[i]));
    if (at < 0 && a.length === b.length) return [];
    const { current: _, from, beta, threshold, surrogate: s, ...rest } = c;
    const parameters = [from === null ? "zeros" : "from", beta.length, threshold.length, s?.name];
    return [`${name}[${at}] of ${b.length}: ${a[at]} for ${b[at]}, ${JSON.stringify({ ...rest, parameters })}`];
  });
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

test("plain: kernels have the bits of the compiled step, whatever the options, and the gradients", () => {
  expect(seeds(300).flatMap((seed) => differences(draw(seed)))).toEqual([]);
});

test("plain: the same for layers that run in pieces of steps or columns", () => {
  // A product is written out for 131 072 values at a time, and layers of more than 65 536 neurons pass two steps at a time.
  for (const given of [
    { T: 20, shape: [16, 601] },
    { T: 3, shape: [61, 1101] },
  ]) {
    for (const seed of seeds(6)) {
      const c = { ...draw(seed, given), form: seed % 3 === 0 ? ("whole" as const) : ("product" as const) };
      expect(differences(c)).toEqual([]);
    }
  }
});

/** Options of the tests below, over the defaults. */
const plainWith = (options: Partial<PlainOptions> = {}): Plain =>
  new Plain("LIF", {
    ...{ reset: RESETS.subtract, delayed: 0, strict: 0, resetValue: 0, surrogate: surrogate.atan() },
    ...options,
  });

const READOUT = new Plain("LeakyIntegrator", {
  ...{ reset: RESETS.none, delayed: 0, strict: 0, resetValue: 0, surrogate: null },
});

const [T, ...STEP] = [5, 2, 3] as const;

test("plain: a state that is the current too gets both gradients", () => {
  const [beta, threshold, w] = [tensor(0.75), tensor(1), random(STEP, 3)];
  const gradientOf = (step: (x: Tensor) => Tensor): number[] =>
    tape(() => {
      const x = leaf(STEP, 2);
      step(x).mul(w).sum().backward();
      return Array.from(x.grad?.data ?? []);
    });
  const onKernels = gradientOf((x) => runPlain(plainWith(), x, 1, beta, threshold, x, STEP, false).last[0] as Tensor);
  expect(onKernels).toEqual(gradientOf((x) => x.mul(1.75)));
});

test("plain: gradcheck runs neurons on the kernels of the reference, with the gradients of membranes and states", () => {
  const inputs = [random([T, ...STEP], 1, { low: -0.5, high: 1.5 }), random(STEP, 2)];
  const beta = tensor([0.5, 0.9, 0.75]);
  for (const reset of Object.values(RESETS)) {
    for (const delayed of [0, 1]) {
      for (const threshold of [tensor(1), tensor([0.8, 1, 1.2])]) {
        const plain = plainWith({ reset, delayed, resetValue: -0.25 });
        gradcheck((current, from) => {
          const run = runPlain(plain, current as Tensor, T, beta, threshold, from as Tensor, STEP, false);
          return [plainOutput(run, "membrane"), plainOutput(run, "v"), run.last[0] as Tensor];
        }, inputs);
      }
    }
  }
  for (const isConstant of [false, true]) {
    const [current, from] = [isConstant ? random(STEP, 3) : inputs[0], inputs[1]] as [Tensor, Tensor];
    gradcheck(
      (x, v) => {
        const sequence = isConstant ? (x as Tensor).expand([T, ...STEP]) : (x as Tensor);
        const run = runPlain(READOUT, sequence, T, beta, null, v as Tensor, STEP, false);
        return [run.z, plainOutput(run, "v"), run.last[0] as Tensor];
      },
      [current, from],
    );
  }
});

test("plain: spikes of the reference are those of the kernels, and so are gradients", () => {
  const [beta, threshold, w] = [tensor(0.9), tensor(1), random([T, ...STEP], 4)];
  const run = (x: Tensor) => runPlain(plainWith(), x, T, beta, threshold, null, null, true).z;
  const x = random([T, ...STEP], 1, { low: -0.5, high: 1.5 });
  const gradients = () =>
    tape(() => {
      const y = x.mul(1);
      y.requiresGrad = true;
      const z = run(y.mul(1));
      z.mul(w).sum().backward();
      return [...z.toFloat32Array(), ...(y.grad as Tensor).toFloat32Array()];
    });
  const near = gradients();
  const far = withReference(gradients);
  expect(near.slice(0, x.size)).toEqual(far.slice(0, x.size));
  expectNear(near, far, "values and gradients", { absolute: 1e-5, relative: 1e-5 });
});

test("plain: an output is refused once an operand was overwritten or freed, and so is backward where it reads one", () => {
  const [beta, threshold] = [tensor(0.9), tensor(1)];
  const made = () => ({ x: leaf([T, ...STEP], 1), from: random(STEP, 2) });
  const run = ({ x, from }: ReturnType<typeof made>) => runPlain(plainWith(), x, T, beta, threshold, from, STEP, false);
  for (const operand of ["x", "from", "beta", "threshold"] as const) {
    tape(() => {
      const given = made();
      const late = run(given);
      const t = { ...given, beta, threshold }[operand];
      t.copyFrom(t.toFloat32Array());
      for (const name of ["membrane", "v"] as const) {
        expect(() => plainOutput(late, name)).toThrow(
          `LIF: ${name} was first read after the current, a state or a parameter was overwritten; read it before`,
        );
      }
      const backward = () => late.z.sum().backward();
      if (operand === "x") backward();
      else expect(backward).toThrow(/^backward of LIF: a value it needs, of shape .*, was overwritten after/);
    });
  }
  const given = made();
  const freed = noGrad(() => run(given));
  given.x.dispose();
  expect(() => plainOutput(freed, "v")).toThrow(/^LIF: the tensor \[5, 2, 3\] was freed/);
});

test("plain: an output that is read after backward has the same values, and no gradient", () => {
  const [beta, threshold] = [tensor(0.9), tensor(1)];
  tape(() => {
    const x = leaf([T, ...STEP], 1);
    const run = runPlain(plainWith(), x, T, beta, threshold, null, STEP, false);
    const early = [plainOutput(run, "membrane"), plainOutput(run, "v")].map(bits);
    run.z.sum().backward();
    expect([plainOutput(run, "membrane"), plainOutput(run, "v")].map(bits)).toEqual(early);
    expect(() => plainOutput(run, "v").sum().backward()).toThrow("consumed by an earlier backward()");
  });
});

/** Runs a layer in each way, with gradients from all of its outputs to the current and to the state it starts from. */
function everyWay(layer: LIF | LeakyIntegrator): void {
  const v = leaf(STEP, 2);
  const start = (layer instanceof LIF ? { ...layer.initialState(STEP), v } : v) as never;
  const last = (state: Tensor | { readonly v: Tensor }) => ("v" in state ? state.v : state);
  const totalOf = (tensors: readonly Tensor[]) => tensors.map((t) => t.sum()).reduce((sum, t) => sum.add(t));
  const [frame, sequence] = [leaf(STEP, 1), leaf([T, ...STEP], 1)];
  tape(() => layer.forward(sequence).sum().backward());
  tape(() => {
    const { state, ...outputs } = layer.unroll(sequence, start);
    totalOf([...Object.values(outputs), last(state)]).backward();
  });
  tape(() => {
    const [z, state] = layer.step(frame, start);
    totalOf([z, last(state)]).backward();
  });
  noGrad(() => layer.unroll(sequence));
  record(layer, sequence);
  record(layer, sequence, { loss: (z) => z.sum() });
  new Stream([layer], STEP).step(new Float32Array(frame.size));
}

test("plain: no step is compiled, in any way to run a layer, forward or backward, and not for a constant current of a LIF", () => {
  warmup();
  const { Module } = WebAssembly;
  let modules = 0;
  vi.stubGlobal("WebAssembly", {
    ...Object.fromEntries(
      Object.getOwnPropertyNames(WebAssembly).map((name) => [name, Reflect.get(WebAssembly, name)]),
    ),
    Module: class extends Module {
      constructor(bytes: BufferSource) {
        super(bytes);
        modules++;
      }
    },
  });
  try {
    for (const seed of seeds(20)) onKernels(draw(seed));
    tape(() => {
      const x = leaf(STEP, 1);
      new LIF({ surrogate: surrogate.erf(), resetDelay: true })
        .forward(x.expand([T, ...STEP]))
        .sum()
        .backward();
    });
    for (const layer of [new LIF(), new LeakyIntegrator()]) everyWay(layer);
    expect(modules).toBe(0);
    new (neuron({
      name: "Other",
      state: { v: 0.125 },
      parameters: {},
      step: ({ v }) => ({ membrane: v, v }),
    }))().forward(random([T, ...STEP], 1));
    expect(modules).toBe(1);
  } finally {
    vi.unstubAllGlobals();
  }
});

test("plain: a step whose descriptor is written once has the bits of a run over time, with the state in place", () => {
  const [beta, threshold] = [tensor([0.9, 0.5, 0.75]), tensor(0.5)];
  const x = random([T, ...STEP], 1, { low: -0.5, high: 1.5 });
  for (const plain of [
    ...Object.values(RESETS).map((reset) => plainWith({ reset, resetValue: 0.25 })),
    plainWith({ delayed: 1 }),
    READOUT,
  ]) {
    const theta = plain === READOUT ? null : threshold;
    const [current, state] = [zeros(STEP), random(STEP, 2)];
    const want = noGrad(() => {
      const { z, last } = runPlain(plain, x, T, beta, theta, state, STEP, false);
      return [...bits(z), ...bits(last[0] as Tensor)];
    });
    const z = plain === READOUT ? zeros(STEP) : emptySpikesOf(STEP);
    const parameters = theta === null ? [beta] : [beta, theta];
    const n = columnCount("plain", parameters, state.size);
    const pass = plain.oneStep(state.size / n, n);
    const words: Tensor[] = [];
    pass.begin((bytes) => words[words.push(zeros([bytes / 4])) - 1]?.ptr as number);
    noteParameters(pass, parameters);
    pass.input(0, current.ptr, 0);
    pass.state(0, state.ptr, state.ptr);
    pass.output(0, z.bits || z.ptr);
    const got: number[] = [];
    for (let t = 0; t < T; t++) {
      current.copyFrom(x.toFloat32Array().subarray(t * state.size, (t + 1) * state.size));
      pass.run();
      if (z.bits !== 0) coreKernels.unpackBits(current.ptr, z.bits, z.size);
      got.push(...bits(z.bits !== 0 ? current : z));
    }
    expect([...got, ...bits(state)]).toEqual(want);
  }
});

test("plain: parameters have one value or one a neuron", () => {
  const x = random([T, ...STEP], 1);
  const run = (beta: Tensor, threshold: Tensor) => runPlain(plainWith(), x, T, beta, threshold, null, null, false);
  expect(() => run(random([4], 2), tensor(1))).toThrow(
    "LIF: expected parameters of 1 or N values for a step of 6, got 4",
  );
  expect(() => run(random([3], 2), random([2], 3))).toThrow(
    "LIF: expected parameters of 1 or N values for a step of 6, got 2",
  );
});

test("plain: a run takes no memory but that of its tensors, and its backward gives back all of its own", () => {
  const [beta, threshold] = [tensor(0.9), tensor(1)];
  const [x, from] = [random([T, ...STEP], 1), random(STEP, 2)];
  for (const plain of [plainWith(), plainWith({ delayed: 1 }), READOUT]) {
    const theta = plain === READOUT ? null : threshold;
    const kept = bytesKept(() => {
      const run = runPlain(plain, x, T, beta, theta, from, STEP, false);
      const v = plainOutput(run, "v");
      for (const t of [run.z, run.last[0] as Tensor, v]) t.dispose();
    });
    expect(kept).toBe(0);
    const leaves = [leaf([T, ...STEP], 1), leaf(STEP, 2)] as const;
    const loss = (): Tensor => {
      const run = runPlain(plain, leaves[0].mul(1), T, beta, theta, leaves[1].mul(1), STEP, true);
      return run.z.sum().add((run.last[0] as Tensor).sum());
    };
    tape(() => loss().backward());
    tape(() => {
      const sums = [0, 0].map(() => bytesKept(() => loss().backward()));
      // Tensors of the tape live until its end, and each pass adds the same number.
      expect(sums[0]).toBe(sums[1]);
    });
  }
});
