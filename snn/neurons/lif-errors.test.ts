/** Bad options and inputs: the error names the value, and nothing remains allocated. */
import { describe, expect, test } from "vitest";
import { show } from "../../engine/arguments.ts";
import { full, Generator, Linear, memoryStats, ones, type Tensor, tape, tensor, zeros } from "../../engine/index.ts";
import { bytesKept, random } from "../../test/support/tensors.ts";
import type { CustomSurrogate, LeakyIntegratorOptions, LIFOptions, LIFState, Surrogate } from "../index.ts";
import {
  constantEncode,
  filteredTrace,
  LeakyIntegrator,
  LIF,
  lastMembrane,
  maxMembrane,
  meanOverTime,
  neuron,
  plasticity,
  poissonEncode,
  RecurrentLIF,
  record,
  spike,
  spikeCount,
  surrogate,
  ttfsEncode,
} from "../index.ts";

const NOT_FINITE = [Number.NaN, Infinity, -Infinity];

/** Numbers that are not finite, or beyond the range of float32. */
const BEYOND = [...NOT_FINITE, 1e39, -1e39, 1e-50];

/** Options of the wrong type, as plain JavaScript may pass them. */
const bad = (options: Record<string, unknown>) => options as LIFOptions & LeakyIntegratorOptions;

function expectRangeError(fn: () => unknown, ...parts: string[]): void {
  const { live } = memoryStats();
  let error: unknown = null;
  try {
    fn();
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(RangeError);
  for (const part of parts) expect((error as RangeError).message).toContain(part);
  expect(memoryStats().live, `allocated by "${(error as RangeError).message}"`).toBe(live);
}

describe("errors: options that LIF and LeakyIntegrator share", () => {
  for (const [where, Layer] of [
    ["LIF", LIF],
    ["LeakyIntegrator", LeakyIntegrator],
  ] as const) {
    test(`errors: ${where} wants a fixed beta in [0, 1], a learned one finite`, () => {
      for (const beta of [-0.1, 1.2, ...NOT_FINITE]) {
        expectRangeError(() => new Layer({ beta }), `${where}: beta must be in [0, 1]`, `got ${beta}`);
      }
      const perNeuron = tensor([0.5, 1.5]);
      expectRangeError(() => new Layer({ beta: perNeuron }), "got 1.5");
      for (const beta of BEYOND) {
        expectRangeError(() => new Layer({ beta, learnBeta: true }), `${where}: beta must be finite`, `got ${beta}`);
      }
      expect(() => new Layer({ beta: 1.2, learnBeta: true })).not.toThrow();
    });

    test(`errors: ${where} wants options, not a value`, () => {
      for (const value of [0.9, "zero", true, null, [0.9]]) {
        expect(() => new Layer(value as LeakyIntegratorOptions)).toThrow(
          new TypeError(`${where}: expected options, got ${show(value)}`),
        );
      }
      const list = /: expected the options beta, tau, dt, decay, .*, got thresh$/;
      for (const [name, message] of [
        ["betta", new TypeError(`${where}: expected a known option, got betta; did you mean beta?`)],
        ["Beta", new TypeError(`${where}: expected a known option, got Beta; did you mean beta?`)],
        ["thresh", list],
      ] as const) {
        const act = () => new Layer(bad({ [name]: 0.5 }));
        expect(act).toThrow(TypeError);
        expect(act).toThrow(message);
      }
    });

    test(`errors: ${where} wants tau and dt finite and positive, and not beta as well`, () => {
      for (const value of [0, -2, ...NOT_FINITE]) {
        expectRangeError(() => new Layer({ tau: value }), `${where}: tau must be finite and > 0`, `got ${value}`);
        expectRangeError(() => new Layer({ tau: 1, dt: value }), `${where}: dt must be finite and > 0`, `got ${value}`);
      }
      expectRangeError(() => new Layer({ beta: 0.9, dt: -1 }), `${where}: dt must be finite and > 0, got -1`);
      expectRangeError(() => new Layer({ beta: 0.9, tau: 10 }), `${where}: expected beta or tau, got both`);
      expectRangeError(() => new Layer({ tau: 1, dt: 3, decay: "euler" }), "beta must be in [0, 1], got -2");
    });

    test(`errors: ${where} knows two kinds of decay`, () => {
      for (const options of [{ tau: 2 }, { beta: 0.9 }, {}]) {
        expectRangeError(() => new Layer(bad({ ...options, decay: "linear" })), `${where}:`, '"exp"', 'got "linear"');
      }
    });

    test(`errors: ${where} wants one beta a neuron, and a time axis`, () => {
      const layer = new Layer({ beta: tensor([0.1, 0.2, 0.3]) });
      const plain = new Layer();
      const [four, series, one] = [zeros([5, 2, 4]), zeros([3]), tensor(1)];
      expectRangeError(
        () => layer.forward(four),
        `${where}: expected beta to be one number or [4], got [3]`,
        "[5, 2, 4]",
      );
      // The only axis is time: there is no axis of neurons.
      expectRangeError(() => layer.forward(series), `${where}: expected beta to be one number or [1], got [3]`, "[3]");
      expectRangeError(() => plain.forward(one), `${where}: expected a current [T, B, …]`, "[]");
    });

    test(`errors: ${where} does not take a freed beta, and keeps nothing of it`, () => {
      const beta = tensor([0.5, 0.5]);
      beta.dispose();
      expect(bytesKept(() => expect(() => new Layer({ beta })).toThrow(/freed/))).toBe(0);
    });
  }
});

describe("errors: LIF", () => {
  test("errors: LIF wants numbers that float32 holds", () => {
    for (const value of BEYOND) {
      for (const name of ["threshold", "rest", "inputScale", "resetValue"]) {
        const message = `LIF: ${name} must be finite and in the range of float32, got ${value}`;
        expectRangeError(() => new LIF(bad({ [name]: value })), message);
      }
    }
    const threshold = tensor([1, Number.NaN]);
    expectRangeError(() => new LIF({ threshold, learnThreshold: true }), "LIF: threshold must be finite", "got NaN");
  });

  test("errors: LIF wants every option of its kind", () => {
    const kinds: [options: Record<string, unknown>, message: string][] = [
      [{ surrogate: "atan" }, 'a surrogate such as surrogate.atan(), got "atan"'],
      [{ surrogate: null }, "a surrogate such as surrogate.atan(), got null"],
      [{ surrogate: { ...surrogate.atan(), kind: 77 } }, "a surrogate such as surrogate.atan(), got object"],
      [{ threshold: "1" }, 'threshold as a number or a tensor, got "1"'],
      [{ threshold: null }, "threshold as a number or a tensor, got null"],
      [{ threshold: [1, 2] }, "threshold as a number or a tensor, got [1, 2]; one for each neuron is tensor([1, 2])"],
      [{ beta: "0.9" }, 'beta as a number or a tensor, got "0.9"'],
      [{ beta: 1n, learnBeta: true }, "beta as a number or a tensor, got 1n"],
      [{ beta: [0.5] }, "beta as a number or a tensor, got [0.5]; one for each neuron is tensor([0.5])"],
      [{ beta: Symbol("b") }, "beta as a number or a tensor, got Symbol(b)"],
      [{ tau: "2" }, 'tau as a number, got "2"'],
      [{ tau: 2, dt: null }, "dt of type number, got null"],
      [{ rest: "0" }, 'rest as a number or a tensor, got "0"'],
      [{ refractorySteps: "2" }, 'refractorySteps of type number, got "2"'],
      [{ reset: null }, "reset of type string, got null"],
      [{ fire: 1 }, "fire of type string, got 1"],
      [{ learnBeta: 1 }, "learnBeta of type boolean, got 1"],
      [{ learnThreshold: "no" }, 'learnThreshold of type boolean, got "no"'],
      [{ detachReset: 0 }, "detachReset of type boolean, got 0"],
      [{ spiking: null }, "spiking of type boolean, got null"],
    ];
    for (const [options, message] of kinds) {
      const act = () => expect(() => new LIF(bad(options))).toThrow(new TypeError(`LIF: expected ${message}`));
      expect(bytesKept(act)).toBe(0);
    }
  });

  test("errors: an option that changes from one reading to the next is read once", () => {
    for (const [name, good, other] of [
      ["threshold", 0.5, Number.NaN],
      ["beta", 0.5, "x"],
      ["refractorySteps", 1, -1],
      ["reset", "none", 5],
    ]) {
      let reads = 0;
      const options = Object.defineProperty({}, name as string, {
        enumerable: true,
        get: () => (reads++ === 0 ? good : other),
      });
      for (const make of [() => new LIF(options), () => new RecurrentLIF({ features: 2, ...options })]) {
        reads = 0;
        make();
        expect(reads, String(name)).toBe(1);
      }
    }
  });

  test("errors: a surrogate of a kind that no kernel knows is none", () => {
    const makers = {
      LIF: (surrogate: Surrogate) => new LIF({ surrogate }),
      RecurrentLIF: (surrogate: Surrogate) => new RecurrentLIF({ features: 3, surrogate }),
      spike: (surrogate: Surrogate) => spike(zeros([3]), { surrogate }),
    };
    for (const [where, make] of Object.entries(makers)) {
      for (const kind of [7, -1, 0.5, NaN]) {
        const message = new RegExp(
          `^${where === "spike" ? "spike" : "LIF"}: expected a surrogate such as .*, got object$`,
        );
        expect(() => make({ ...surrogate.atan(), kind }), where).toThrow(message);
        expect(() => make({ ...surrogate.atan(), kind }), where).toThrow(TypeError);
      }
    }
  });

  test("errors: LIF wants a whole number of refractory steps", () => {
    for (const refractorySteps of [-1, 1.5, 2 ** 24 + 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, ...NOT_FINITE]) {
      const message = `LIF: refractorySteps must be an integer in [0, 2²⁴], got ${refractorySteps}`;
      expectRangeError(() => new LIF({ refractorySteps }), message);
      expectRangeError(() => new RecurrentLIF({ features: 2, refractorySteps }), message);
    }
    const once = new LIF({ refractorySteps: 2 ** 24 });
    const { spikes, state } = once.unroll(full([5, 1], 2));
    expect(spikes.toArray()).toEqual([[1], [0], [0], [0], [0]]);
    expect(state.refractory.item()).toBe(2 ** 24 - 4);
    expect(
      once
        .unroll(full([5, 1], 2), state)
        .spikes.sum()
        .item(),
    ).toBe(0);
  });

  test("errors: LIF names the choices, and what is no choice", () => {
    for (const reset of ["soft", "toString", ""]) {
      expectRangeError(() => new LIF(bad({ reset })), '"zero", "subtract" or "none"', `got ${JSON.stringify(reset)}`);
    }
    for (const fire of [">=", "toString"]) {
      expectRangeError(() => new LIF(bad({ fire })), 'LIF: expected fire "ge" or "gt"', `got ${JSON.stringify(fire)}`);
    }
  });

  test("errors: a smooth LIF wants a surrogate with a primitive", () => {
    const custom = surrogate.custom({ derivative: (x) => x.abs() });
    expectRangeError(() => new LIF({ spiking: false, surrogate: custom }), "a primitive, got custom");
  });

  test("errors: LIF wants one threshold a neuron", () => {
    const lif = new LIF({ threshold: tensor([1, 2]) });
    const current = zeros([5, 2, 4]);
    expectRangeError(
      () => lif.forward(current),
      "LIF: expected threshold to be one number or [4], got [2]",
      "[5, 2, 4]",
    );
    current.dispose();
  });

  test("errors: LIF wants a state in the shape of one step", () => {
    const lif = new LIF();
    const current = zeros([5, 2, 4]);
    const [good, wrong] = [zeros([2, 4]), zeros([4, 2])];
    const message = "of shape [2, 4], got [4, 2]";
    expectRangeError(() => lif.unroll(current, { v: wrong, refractory: good }), `LIF: expected a state v ${message}`);
    expectRangeError(() => lif.unroll(current, { v: good, refractory: wrong }), `a state refractory ${message}`);
    const leaky = new LeakyIntegrator();
    expectRangeError(() => leaky.unroll(current, wrong), `LeakyIntegrator: expected a state v ${message}`);
  });

  test("errors: LIF wants counters that it can have given", () => {
    const lif = new LIF({ refractorySteps: 3 });
    const [current, step, v] = [zeros([5, 2, 4]), zeros([2, 4]), zeros([2, 4])];
    for (const value of [4, -1, 0.5, Number.NaN]) {
      const refractory = tensor([0, 1, 2, 3, 0, 0, 0, value], { shape: [2, 4] });
      const message = `LIF: expected a state refractory of integers in [0, 3], got ${value}`;
      expectRangeError(() => lif.unroll(current, { v, refractory }), message);
      expectRangeError(() => lif.step(step, { v, refractory }), message);
      // Counters are ignored by neurons without a refractory period.
      expect(() => new LIF().step(step, { v, refractory })).not.toThrow();
    }
  });

  test("errors: a state that is none, or lacks something", () => {
    const [lif, recurrent] = [new LIF(), new RecurrentLIF({ features: 4 })];
    const [current, step, v] = [zeros([5, 2, 4]), zeros([2, 4]), zeros([2, 4])];
    const lacking = (where: string, name: string, got = "undefined") =>
      new TypeError(`${where}: expected a state with ${name} as a tensor, got ${got}`);
    for (const state of [null, 5, "v", {}, [], { refractory: v }, { v: undefined, refractory: v }]) {
      expect(() => lif.unroll(current, state as never)).toThrow(lacking("LIF", "v"));
      expect(() => lif.step(step, state as never)).toThrow(lacking("LIF", "v"));
      expect(() => recurrent.unroll(current, state as never)).toThrow(lacking("RecurrentLIF", "spikes"));
    }
    expect(() => lif.step(step, undefined as never)).toThrow(lacking("LIF", "v"));
    expect(() => lif.step(step, { v } as never)).toThrow(lacking("LIF", "refractory"));
    expect(() => lif.step(step, { v, refractory: 0 } as never)).toThrow(lacking("LIF", "refractory", "0"));
    expect(() => lif.step(step, { v, refractory: { ...v } } as never)).toThrow("LIF: expected a tensor of this copy");
    expect(() => recurrent.step(step, undefined as never)).toThrow(lacking("RecurrentLIF", "spikes"));
    expect(() => recurrent.step(step, { spikes: v, v } as never)).toThrow(lacking("LIF", "refractory"));
    const leaky = new LeakyIntegrator();
    expect(() => leaky.step(step, undefined as never)).toThrow(lacking("LeakyIntegrator", "v"));
    expect(() => leaky.unroll(current, null as never)).toThrow(lacking("LeakyIntegrator", "v", "null"));
  });

  test("errors: a state is read once", () => {
    const [lif, recurrent] = [new LIF({ refractorySteps: 2 }), new RecurrentLIF({ features: 4 })];
    const [current, step, good] = [zeros([5, 2, 4]), zeros([2, 4]), zeros([2, 4])];
    let reads: string[] = [];
    const state = new Proxy({} as LIFState & { spikes: Tensor }, {
      get(_, name) {
        const first = !reads.includes(String(name));
        reads.push(String(name));
        return first ? good : zeros([1]);
      },
    });
    for (const use of [
      () => lif.unroll(current, state).state,
      () => lif.step(step, state),
      () => new LIF().step(step, state),
      () => recurrent.unroll(current, state),
      () => recurrent.step(step, state),
    ]) {
      reads = [];
      tape<unknown>(use);
      expect(new Set(reads).size).toBe(reads.length);
    }
  });

  test("errors: a shape of a state that is none", () => {
    for (const layer of [new LIF(), new LeakyIntegrator(), new RecurrentLIF({ features: 2 })]) {
      const where = layer.constructor.name;
      const message = `${where}: expected a shape, a list of sizes, got 3`;
      expect(() => layer.initialState(3 as never)).toThrow(new TypeError(message));
      expectRangeError(() => layer.initialState([2, 0]), `${where}: expected positive integer sizes`);
    }
  });

  test("errors: axes in another order have a hint", () => {
    const hint = "time is the first axis and neurons are the last, [T, B, …, N]; a loader gives [B, T, …]";
    const [lif, leaky] = [new LIF({ threshold: ones([3]) }), new LeakyIntegrator({ beta: tensor([0.1, 0.2, 0.3]) })];
    const recurrent = new RecurrentLIF({ features: 3 });
    for (const layer of [lif, leaky, recurrent]) {
      for (const shape of [[3], [5], [3, 7], [4, 3, 7]]) {
        const current = zeros(shape);
        expectRangeError(() => layer.forward(current), show(shape), hint);
      }
      // Nothing to guess.
      const current = zeros([5, 2, 4]);
      expect(() => layer.forward(current)).toThrow(/\[5, 2, 4\]$/);
      const none = tensor(1);
      expectRangeError(() => layer.forward(none), "expected a current [T, B, …], got []", hint);
    }
  });
});

describe("errors: encoders, surrogates, readouts", () => {
  const x = random([3], 1, { low: 0, high: 1 });

  test("errors: encoders want at least one whole time step", () => {
    const encoders: Record<string, (timesteps: number) => Tensor> = {
      poissonEncode: (timesteps) => poissonEncode(x, { timesteps }),
      ttfsEncode: (timesteps) => ttfsEncode(x, { timesteps }),
      constantEncode: (timesteps) => constantEncode(x, { timesteps }),
    };
    for (const [name, encode] of Object.entries(encoders)) {
      for (const timesteps of [0, -1, 2.5, ...NOT_FINITE]) {
        expectRangeError(
          () => encode(timesteps),
          `${name}: timesteps must be an integer in [1, 2²⁴], got ${timesteps}`,
        );
      }
    }
  });

  test("errors: encoders check their rates and bounds", () => {
    for (const dt of [-0.1, 1.1, ...NOT_FINITE]) {
      expectRangeError(() => poissonEncode(x, { timesteps: 2, dt }), `poissonEncode: dt must be in [0, 1], got ${dt}`);
    }
    for (const eps of [-1e-9, ...NOT_FINITE]) {
      expectRangeError(
        () => ttfsEncode(x, { timesteps: 2, eps }),
        `ttfsEncode: eps must be finite and ≥ 0, got ${eps}`,
      );
    }
  });

  test("errors: poissonEncode wants a generator, and keeps nothing where it gets none", () => {
    const options = bad({ timesteps: 2, generator: 5 }) as never;
    const message = "poissonEncode: expected a Generator, got 5";
    expect(bytesKept(() => expect(() => poissonEncode(x, options)).toThrow(new TypeError(message)))).toBe(0);
  });

  test("errors: surrogates want slopes that kernels can compute with", () => {
    for (const value of [0, -1, 1e-19, 1e19, 1e39, 1e-50, ...NOT_FINITE]) {
      const message = `must be in [1e-18, 1e18], got ${value}`;
      expectRangeError(() => surrogate.sigmoid({ slope: value }), `surrogate.sigmoid: slope ${message}`);
      expectRangeError(() => surrogate.fastSigmoid({ slope: value }), `surrogate.fastSigmoid: slope ${message}`);
      expectRangeError(() => surrogate.atan({ alpha: value }), `surrogate.atan: alpha ${message}`);
      expectRangeError(() => surrogate.superSpike({ alpha: value }), `surrogate.superSpike: alpha ${message}`);
      expectRangeError(() => surrogate.erf({ alpha: value }), `surrogate.erf: alpha ${message}`);
      expectRangeError(() => surrogate.gaussian({ sigma: value }), `surrogate.gaussian: sigma ${message}`);
      expectRangeError(() => surrogate.triangular({ width: value }), `surrogate.triangular: width ${message}`);
      expectRangeError(() => surrogate.boxcar({ width: value }), `surrogate.boxcar: width ${message}`);
    }
    for (const slope of ["1", null, [1], 1n]) {
      const message = `surrogate.sigmoid: expected slope of type number, got ${show(slope)}`;
      expect(() => surrogate.sigmoid({ slope: slope as never })).toThrow(new TypeError(message));
    }
    const both = { derivative: (x: Tensor) => x, primitive: (x: Tensor) => x };
    for (const name of ["derivative", "primitive"]) {
      expect(() => surrogate.custom({ ...both, [name]: 1 } as never)).toThrow(
        new TypeError(`surrogate.custom: expected ${name} as a function, got 1`),
      );
    }
  });

  test("errors: a surrogate stays as it was made", () => {
    const made = [surrogate.atan(), surrogate.gaussian(), surrogate.straightThrough()];
    for (const s of made) expect(() => Object.assign(s, { kind: 77 })).toThrow(TypeError);
  });

  test("errors: a custom surrogate does what a step can, and says so when it is made", () => {
    const outside = zeros([3, 2]);
    type Fn = CustomSurrogate["derivative"];
    const fails: [fn: (x: never) => unknown, message: string][] = [
      [() => undefined, "surrogate.custom: derivative: expected a value of the step or a number, got undefined"],
      [() => [1, 2], "surrogate.custom: derivative: expected a value of the step or a number, got [1, 2]"],
      [(x) => ({ ...(x as object) }), "surrogate.custom: derivative: expected a value of the step or a number, got"],
      [() => outside, "got a tensor from outside of the step; make it a parameter, or add it to an input"],
      [(x: Tensor) => x.sum(), "surrogate.custom: a value of a step has no sum"],
      [(x: number) => 1 / x, "surrogate.custom: a value of a step is no number"],
      [
        () => {
          throw new Error("mine");
        },
        "mine",
      ],
    ];
    for (const [fn, message] of fails) {
      const derivative = fn as unknown as Fn;
      const act = () => {
        expect(() => surrogate.custom({ derivative })).toThrow(message);
        const primitive = derivative as NonNullable<CustomSurrogate["primitive"]>;
        const general = message.replace("derivative: ", "y: ");
        expect(() => surrogate.custom({ derivative: () => 1, primitive })).toThrow(general);
      };
      expect(bytesKept(act), message).toBe(0);
    }
    outside.dispose();
  });

  test("errors: spike and filteredTrace check their options", () => {
    for (const value of BEYOND) {
      expectRangeError(() => spike(x, { threshold: value }), `spike: threshold must be finite`, `got ${value}`);
    }
    for (const wrong of ["atan", surrogate.atan, null, { ...surrogate.atan() }]) {
      expect(() => spike(x, bad({ surrogate: wrong }) as never)).toThrow(
        new TypeError(`spike: expected a surrogate such as surrogate.atan(), got ${show(wrong)}`),
      );
    }
    for (const threshold of ["1", [1], null]) {
      const message = `spike: expected threshold as a number or a tensor, got ${show(threshold)}`;
      expect(() => spike(x, { threshold: threshold as never })).toThrow(message);
    }
    const one = tensor(1);
    expectRangeError(() => filteredTrace(one), "filteredTrace: expected spikes [T, B, …], got []");
    expectRangeError(() => spike(x, bad({ fire: "eq" }) as never), 'spike: expected fire "ge" or "gt", got "eq"');
    for (const beta of [-0.1, 1.1, ...NOT_FINITE]) {
      expectRangeError(() => filteredTrace(x, { beta }), `filteredTrace: beta must be in [0, 1], got ${beta}`);
    }
  });
});

test("errors: freed spikes take no values, and nothing is kept", () => {
  const spikes = poissonEncode(zeros([1, 2]), { timesteps: 3 });
  spikes.dispose();
  expect(bytesKept(() => expect(() => spikes.copyFrom([0, 1, 0, 1, 0, 1])).toThrow(/freed/))).toBe(0);
});

test("errors: encoders, spikes and surrogates want options by their names", () => {
  const x = random([2], 1);
  const calls: Record<string, (options: never) => unknown> = {
    poissonEncode: (options) => poissonEncode(x, options),
    ttfsEncode: (options) => ttfsEncode(x, options),
    constantEncode: (options) => constantEncode(x, options),
    filteredTrace: (options) => filteredTrace(random([2, 2], 1), options),
    spike: (options) => spike(x, options),
    "surrogate.atan": (options) => surrogate.atan(options),
    "surrogate.gaussian": (options) => surrogate.gaussian(options),
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const given of [5, "5", null, [5]]) {
      expect(() => call(given as never)).toThrow(new TypeError(`${name}: expected options, got ${show(given)}`));
    }
    expect(() => call({ durations: 5 } as never)).toThrow(
      new RegExp(`^${name}: expected the options .*, got durations$`),
    );
  }
  expect(() => surrogate.atan({ slope: 3 } as object)).toThrow("surrogate.atan: expected the options alpha, got slope");
});

test("errors: currents, states and constants that are no tensors", () => {
  const lif = new LIF();
  const error = new TypeError("LIF: expected a tensor, got [1, 2]");
  expect(() => lif.forward([1, 2] as never)).toThrow(error);
  expect(() => lif.step([1, 2] as never, lif.initialState([2]))).toThrow(error);
});

test("errors: what is no tensor, or one of another copy of the package, is taken for none", () => {
  const real = ones([2, 2]);
  const generator = new Generator(1);
  const calls: Record<string, (x: never) => unknown> = {
    spike,
    "spike, threshold": (x) => spike(real, { threshold: x }),
    poissonEncode: (x) => poissonEncode(x, { timesteps: 2, generator }),
    ttfsEncode: (x) => ttfsEncode(x, { timesteps: 2 }),
    constantEncode: (x) => constantEncode(x, { timesteps: 2 }),
    filteredTrace,
    meanOverTime,
    spikeCount,
    lastMembrane,
    maxMembrane,
    LIF: (x) => new LIF().forward(x),
    "LIF, beta": (x) => new LIF({ beta: x }),
    RecurrentLIF: (x) => new RecurrentLIF({ features: 2 }).forward(x),
    "RecurrentLIF.step": (x) => ((lif) => lif.step(x, lif.initialState([2])))(new RecurrentLIF({ features: 2 })),
    LeakyIntegrator: (x) => new LeakyIntegrator().forward(x),
    "LeakyIntegrator.step": (x) => new LeakyIntegrator().step(x, real),
    "LeakyIntegrator.step, state": (x) => new LeakyIntegrator().step(real, x),
  };
  for (const [name, call] of Object.entries(calls)) {
    const where = new RegExp(
      `^${name.replace(/[.,].*/, "").replace("Recurrent", "(Recurrent)?")}: (beta: |threshold: )?expected .*tensor`,
    );
    for (const x of [{ ...real }, null, "x", Symbol("x"), [1]]) {
      const act = () => tape(() => call(x as never));
      expect(act, name).toThrow(TypeError);
      expect(act, name).toThrow(where);
    }
  }
  expect(generator.getState()).toEqual(new Generator(1).getState());
});

test("errors: encoders of more spikes than there can be draw nothing", () => {
  const generator = new Generator(1);
  const x = zeros([1024, 1024]);
  expectRangeError(
    () => poissonEncode(x, { timesteps: 1025, generator }),
    "poissonEncode: expected at most 2³⁰ elements, got shape [1025, 1024, 1024]",
  );
  expectRangeError(() => ttfsEncode(x, { timesteps: 1025 }), "ttfsEncode: expected at most 2³⁰ elements");
  expectRangeError(() => constantEncode(x, { timesteps: 1025 }), "constantEncode: expected at most 2³⁰ elements");
  expect(generator.getState()).toEqual(new Generator(1).getState());
});

test("errors: readouts want a time axis", () => {
  for (const read of [meanOverTime, spikeCount, lastMembrane, maxMembrane, filteredTrace]) {
    const x = tensor(1);
    expectRangeError(() => read(x), `${read.name}: expected `, "[T, B, …], got []; time is the first axis");
  }
});

test("errors: a neuron that cannot be made leaves nothing behind, and a recurrent one names its own options", () => {
  const failing = [
    () => new LIF({ beta: 0.5, threshold: "x" as never }),
    () => new LIF({ beta: [0.5] as never }),
    () => new RecurrentLIF({ features: 2 ** 16 }),
    () => new RecurrentLIF({ features: 2, beta: 2 }),
  ];
  for (const make of failing) expect(bytesKept(() => expect(make).toThrow())).toBe(0);
  const act = () => new RecurrentLIF({ features: 2, wiring: "one" } as never);
  expect(act).toThrow(
    /^RecurrentLIF: expected the options beta, .*, features, connection, selfConnections, generator, got wiring$/,
  );
  expect(() => new RecurrentLIF(undefined as never)).toThrow(
    new TypeError("RecurrentLIF: expected options, got undefined"),
  );
});

test("errors: a list of names that is empty says none", () => {
  const Bare = neuron({
    name: "Bare",
    state: { v: 0 },
    parameters: {},
    step: ({ current, v, spike }) => ({ spikes: spike(current), v }),
  });
  const make = (options: object) => () => new Bare(options as never);
  expect(make({ numerics: "x" })).toThrow('Bare: expected numerics none, got "x"');
  expect(make({ learn: ["x"] })).toThrow('Bare: expected learn to name parameters, none, got "x"');
  const traces = { x: { of: "pre", tau: "tau" } };
  expect(() => plasticity({ name: "Q", parameters: {}, traces, onPost: () => 1 } as never)).toThrow(
    'Q: expected the tau of x as a number or a parameter, none, got "tau"',
  );
  const given = { name: "Q", parameters: { eta: 1 }, traces, onPost: () => 1 };
  expect(() => plasticity(given as never)).toThrow("as a number or a parameter, eta, got");
  expect(() => record(new Linear(2, 2), ones([1, 2]), { layers: ["a"] })).toThrow("layers that run, none, got");
});
