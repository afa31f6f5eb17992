/** Bad options and inputs: the error names the value, and nothing stays allocated. */
import { describe, expect, test } from "vitest";
import { memoryStats, type Tensor, tape, tensor, zeros } from "../engine/index.ts";
import { bytesKept, random } from "../test/support/tensors.ts";
import {
  constantEncode,
  filteredTrace,
  LeakyIntegrator,
  LIF,
  type LIFOptions,
  poissonEncode,
  RecurrentLIF,
  spike,
  surrogate,
  ttfsEncode,
} from "./index.ts";

const NOT_FINITE = [Number.NaN, Infinity, -Infinity];

/** Options of the wrong kind, as plain JavaScript may give them. */
const bad = (options: Record<string, unknown>) => options as LIFOptions;

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
        expectRangeError(() => new Layer({ beta }), `${where}: beta must lie in [0, 1]`, `got ${Math.fround(beta)}`);
      }
      const perNeuron = tensor([0.5, 1.5]);
      expectRangeError(() => new Layer({ beta: perNeuron }), "got 1.5");
      for (const beta of NOT_FINITE) {
        expectRangeError(() => new Layer({ beta, learnBeta: true }), `${where}: beta must be finite`, `got ${beta}`);
      }
      expect(() => new Layer({ beta: 1.2, learnBeta: true })).not.toThrow();
    });

    test(`errors: ${where} wants options, not a value`, () => {
      for (const value of [0.9, "zero", true, null, [0.9]]) {
        expect(() => new Layer(value as LIFOptions)).toThrow(new TypeError(`${where}: expected options, got ${value}`));
      }
      for (const name of ["Beta", "thresh"]) {
        const act = () => new Layer(bad({ [name]: 0.5 }));
        expect(act).toThrow(TypeError);
        expect(act).toThrow(new RegExp(`^${where}: expected the options beta, tau, dt, decay, .*, got ${name}$`));
      }
    });

    test(`errors: ${where} wants tau and dt finite and positive, and not beta as well`, () => {
      for (const value of [0, -2, ...NOT_FINITE]) {
        expectRangeError(() => new Layer({ tau: value }), `${where}: tau must be finite and > 0`, `got ${value}`);
        expectRangeError(() => new Layer({ tau: 1, dt: value }), `${where}: dt must be finite and > 0`, `got ${value}`);
      }
      expectRangeError(() => new Layer({ beta: 0.9, dt: -1 }), `${where}: dt must be finite and > 0, got -1`);
      expectRangeError(() => new Layer({ beta: 0.9, tau: 10 }), `${where}: expected beta or tau, got both`);
      expectRangeError(() => new Layer({ tau: 1, dt: 3, decay: "euler" }), "beta must lie in [0, 1], got -2");
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
  test("errors: LIF wants finite numbers", () => {
    for (const value of NOT_FINITE) {
      for (const name of ["threshold", "rest", "inputScale", "resetValue"]) {
        expectRangeError(() => new LIF(bad({ [name]: value })), `LIF: ${name} must be finite, got ${value}`);
      }
    }
    const threshold = tensor([1, Number.NaN]);
    expectRangeError(() => new LIF({ threshold, learnThreshold: true }), "LIF: threshold must be finite, got NaN");
  });

  test("errors: LIF wants a surrogate and a threshold of the right kind", () => {
    expect(() => new LIF(bad({ surrogate: "atan" }))).toThrow(
      new TypeError("LIF: expected a surrogate such as surrogate.atan(), got string"),
    );
    expectRangeError(() => new LIF(bad({ threshold: "1" })), "LIF: threshold must be finite, got 1");
    expectRangeError(() => new LIF(bad({ threshold: null })), "LIF: threshold must be finite, got null");
  });

  test("errors: LIF wants a whole number of refractory steps", () => {
    for (const refractorySteps of [-1, 1.5, ...NOT_FINITE]) {
      expectRangeError(
        () => new LIF({ refractorySteps }),
        "refractorySteps must be an integer ≥ 0",
        `${refractorySteps}`,
      );
    }
  });

  test("errors: LIF names the choices, and what is no choice", () => {
    for (const reset of ["soft", "toString", "", null]) {
      expectRangeError(() => new LIF(bad({ reset })), '"zero", "subtract" or "none"', `got ${JSON.stringify(reset)}`);
    }
    for (const fire of [">=", "toString", null]) {
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
        expectRangeError(() => encode(timesteps), `${name}: timesteps must be a positive integer, got ${timesteps}`);
      }
    }
  });

  test("errors: encoders check their rates and bounds", () => {
    for (const dt of [-0.1, 1.1, ...NOT_FINITE]) {
      expectRangeError(() => poissonEncode(x, { timesteps: 2, dt }), `poissonEncode: dt must lie in [0, 1], got ${dt}`);
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

  test("errors: surrogates want positive slopes", () => {
    for (const value of [0, -1, ...NOT_FINITE]) {
      const message = `must be finite and > 0, got ${value}`;
      expectRangeError(() => surrogate.sigmoid({ slope: value }), `surrogate.sigmoid: slope ${message}`);
      expectRangeError(() => surrogate.fastSigmoid({ slope: value }), `surrogate.fastSigmoid: slope ${message}`);
      expectRangeError(() => surrogate.atan({ alpha: value }), `surrogate.atan: alpha ${message}`);
    }
    expect(() => surrogate.custom(bad({ derivative: 1 }) as never)).toThrow(
      new TypeError("surrogate.custom: expected a function, got number"),
    );
    expect(() => surrogate.custom(bad({ derivative: (x: Tensor) => x, primitive: 1 }) as never)).toThrow(
      new TypeError("surrogate.custom: expected a function, got number"),
    );
  });

  test("errors: a custom derivative has the shape of its argument", () => {
    const wrong = surrogate.custom({ derivative: (x) => x.sum() });
    for (const run of [
      (v: Tensor) => spike(v, { surrogate: wrong }),
      (v: Tensor) => new LIF({ surrogate: wrong }).forward(v),
    ]) {
      const loss = () =>
        tape(() => {
          const v = random([3, 2], 2);
          v.requiresGrad = true;
          run(v).sum().backward();
        });
      expect(loss).toThrow(/surrogate\.custom: expected a derivative of shape \[\d, 2\], got \[\]/);
    }
  });

  test("errors: spike and filteredTrace check their options", () => {
    expectRangeError(() => spike(x, { threshold: NaN }), "spike: threshold must be a number, got NaN");
    for (const wrong of ["atan", surrogate.atan, null]) {
      const got = wrong === null ? "null" : typeof wrong;
      expect(() => spike(x, bad({ surrogate: wrong }) as never)).toThrow(
        new TypeError(`spike: expected a surrogate such as surrogate.atan(), got ${got}`),
      );
    }
    const one = tensor(1);
    expectRangeError(() => filteredTrace(one), "filteredTrace: expected a current [T, B, …], got []");
    expectRangeError(() => spike(x, bad({ fire: "eq" }) as never), 'spike: expected fire "ge" or "gt", got "eq"');
    for (const beta of [-0.1, 1.1, ...NOT_FINITE]) {
      expectRangeError(() => filteredTrace(x, { beta }), `filteredTrace: beta must lie in [0, 1], got ${beta}`);
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
      expect(() => call(given as never)).toThrow(new TypeError(`${name}: expected options, got ${given}`));
    }
    expect(() => call({ timestep: 5 } as never)).toThrow(
      new RegExp(`^${name}: expected the options .*, got timestep$`),
    );
  }
  expect(() => surrogate.atan({ slope: 3 } as object)).toThrow("surrogate.atan: expected the options alpha, got slope");
});

test("errors: currents, states and constants that are no tensors", () => {
  const lif = new LIF();
  const error = (got: string) => new TypeError(`LIF: expected a tensor, got ${got}`);
  expect(() => lif.forward([1, 2] as never)).toThrow(error("object"));
  expect(() => lif.step(zeros([1, 2]), {} as never)).toThrow(error("undefined"));
  expect(() => new LIF({ beta: "0.9" as never })).toThrow(error("string"));
});

test("errors: a neuron that cannot be made leaves nothing behind, and a recurrent one names its own options", () => {
  const failing = [
    () => new LIF({ beta: 0.5, threshold: "x" as never }),
    () => new LIF({ beta: [0.5] as never }),
    () => new RecurrentLIF({ features: 2 ** 16 }),
    () => new RecurrentLIF({ features: 2, beta: 2 }),
  ];
  for (const make of failing) expect(bytesKept(() => expect(make).toThrow())).toBe(0);
  const act = () => new RecurrentLIF({ features: 2, conection: "one" } as never);
  expect(act).toThrow(/^RecurrentLIF: expected the options beta, .*, features, connection, generator, got conection$/);
  expect(() => new RecurrentLIF(undefined as never)).toThrow(
    new TypeError("RecurrentLIF: expected options, got undefined"),
  );
});
