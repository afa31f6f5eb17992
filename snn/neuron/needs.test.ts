/** Options that other options leave without effect: errors, where no preset gives them. */
import {
  AdaptiveLIF,
  AdEx,
  AdLIF,
  Alpha,
  ExponentialIF,
  full,
  IF,
  KLIF,
  LeakyIntegrator,
  LIF,
  neuron,
  RecurrentLIF,
  ResonateAndFire,
  SpikingLSTM,
  Synaptic,
} from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { NEURON_NAMES, neuronClass } from "../../test/support/neuron-rows.ts";
import { bytesKept, values } from "../../test/support/tensors.ts";

type Make = new (options: object) => object;

function expectRefused(make: () => unknown, message: string): void {
  expect(bytesKept(() => expect(make).toThrow(new RangeError(message)))).toBe(0);
}

class LSTM extends SpikingLSTM {
  constructor(options: object) {
    super(3, 2, options);
  }
}

/** The neurons with a reset value whose reset may drop the input. */
const RESETTING = NEURON_NAMES.map((name) => [name, neuronClass(name)] as const).filter(([, Class]) => {
  const { form } = new Class() as unknown as { form: Readonly<Record<string, object>> };
  return "resetInput" in { ...form.choices } && "resetValue" in { ...form.parameters, ...form.chosen };
});

test("neurons with both options are found", () => {
  expect(RESETTING.map(([name]) => name)).toEqual(expect.arrayContaining(["LIF", "IF", "Synaptic", "ConductanceLIF"]));
});

describe.each<[string, Make]>([
  ...RESETTING.map(([name, Class]): [string, Make] => [name, Class]),
  ["SpikingLSTM", LSTM],
])("%s", (name, Class) => {
  test("a reset value needs a reset to zero", () => {
    for (const reset of ["subtract", "none"]) {
      for (const options of [{ resetValue: 0.5 }, { learn: ["resetValue"] }]) {
        const message = `${name}: expected reset "zero" with resetValue, got "${reset}"`;
        expectRefused(() => new Class({ reset, ...options }), message);
      }
    }
    expect(new Class({ reset: "zero", resetValue: 0.5 })).toBeInstanceOf(Class);
  });

  test("an input that the reset drops needs a late reset to zero", () => {
    const late = `${name}: expected resetDelay true with resetInput, got false`;
    expectRefused(() => new Class({ reset: "zero", resetInput: true }), late);
    const zero = `${name}: expected reset "zero" with resetInput, got "subtract"`;
    expectRefused(() => new Class({ reset: "subtract", resetDelay: true, resetInput: true }), zero);
    expect(new Class({ reset: "zero", resetDelay: true, resetInput: true })).toBeInstanceOf(Class);
    expect(new Class({ reset: "none", resetInput: false, resetValue: undefined })).toBeInstanceOf(Class);
  });

  test("a leak in refractory steps needs such steps", () => {
    const message = `${name}: expected refractorySteps > 0 with refractory "leak", got 0`;
    expectRefused(() => new Class({ refractory: "leak" }), message);
  });
});

test("what a preset gives may be without effect, and what is given beside it may not", () => {
  expect(new IF({ numerics: "norse", reset: "subtract" })).toBeInstanceOf(IF);
  expect(new AdaptiveLIF({ numerics: "norse", synapse: "none" })).toBeInstanceOf(AdaptiveLIF);
  expect(new LIF({ numerics: "bindsnet", refractorySteps: 0 })).toBeInstanceOf(LIF);
  expect(new LIF({ numerics: "nir", beta: 0.5 })).toBeInstanceOf(LIF);
  const given = { numerics: "snntorch", resetValue: 1 } as const;
  expectRefused(() => new LIF(given), 'LIF: expected reset "zero" with resetValue, got "subtract"');
  expectRefused(() => new Synaptic(given), 'Synaptic: expected reset "zero" with resetValue, got "subtract"');
  // As if the preset had left it out.
  const { chosen } = new Synaptic({ numerics: "snntorch" }) as unknown as { chosen: object };
  expect(chosen).toMatchObject({ reset: "subtract", resetDelay: true, resetInput: false });
  const input = { numerics: "snntorch", features: 1, connection: "one" } as const;
  expect(values(new RecurrentLIF(input).forward(full([2, 1], 2)))).toEqual([1, 1]);
});

test("options of single neurons", () => {
  const synaptic = 'expected synapse "decayFirst" or "jumpFirst" or "late" with alpha, got "none"';
  for (const options of [{ alpha: 0.5 }, { learn: ["alpha"] as const }]) {
    expectRefused(() => new AdaptiveLIF(options), `AdaptiveLIF: ${synaptic}`);
    expectRefused(() => new AdEx(options), `AdEx: ${synaptic}`);
    expectRefused(() => new ExponentialIF(options), `ExponentialIF: ${synaptic}`);
  }
  const value = { resetValue: 0.5 };
  expectRefused(() => new AdLIF(value), 'AdLIF: expected form "symplectic" with resetValue, got "explicit"');
  expectRefused(() => new AdaptiveLIF(value), 'AdaptiveLIF: expected reset "zero" with resetValue, got "subtract"');
  const none = { ...value, reset: "none" } as const;
  expectRefused(() => new ResonateAndFire(none), 'ResonateAndFire: expected reset "zero" with resetValue, got "none"');
  expectRefused(() => new KLIF(none), 'KLIF: expected reset "zero" with resetValue, got "none"');
  const from = { subtractFrom: "excitation" } as const;
  expectRefused(() => new Alpha(from), 'Alpha: expected reset "subtract" with subtractFrom, got "zero"');
  const early = { ...from, reset: "subtract" } as const;
  expectRefused(() => new Alpha(early), "Alpha: expected resetDelay true with subtractFrom, got false");
});

test("dt and decay need tau", () => {
  for (const Class of [LIF, LeakyIntegrator] as const) {
    const { name } = Class;
    expectRefused(() => new Class({ dt: 2 }), `${name}: expected tau with dt, got none`);
    expectRefused(() => new Class({ beta: 0.5, decay: "euler" }), `${name}: expected tau with decay, got none`);
    expect(new Class({ dt: 1, decay: "exp" })).toBeInstanceOf(Class);
  }
});

test("a definition says which options need which choices", () => {
  const definition = {
    name: "Gated",
    state: { v: 0 },
    parameters: { gate: 1 },
    choices: { isGated: false },
    step: ({ current, v, gate }: never, { isGated }: never) => ({ membrane: current, v: isGated ? gate : v }),
  };
  const Gated = neuron({ ...definition, needs: { gate: { isGated: [true] } } } as never) as unknown as Make;
  expectRefused(() => new Gated({ gate: 2 }), "Gated: expected isGated true with gate, got false");
  expect(new Gated({ gate: 2, isGated: true })).toBeInstanceOf(Gated);
  const wrong = (needs: unknown) => () => neuron({ ...definition, needs } as never);
  expect(wrong({ door: {} })).toThrow('Gated: expected needs to name options, gate, isGated, got "door"');
  expect(wrong({ gate: { door: [] } })).toThrow('Gated: expected needs.gate to name choices, isGated, got "door"');
  expect(wrong({ gate: { isGated: true } })).toThrow(
    "Gated: expected needs.gate.isGated as a list of values, got true",
  );
});
