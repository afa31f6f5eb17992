/**
 * Every neuron of the package, with its defaults, its presets and the variants of its row: all ways to run a neuron give the
 * same bits, values and gradients equal its step on tensors, and with the smooth step the gradients are exact.
 */
import type * as all from "jarvis-snn";
import * as snn from "jarvis-snn";
import { gradcheck, stack, surrogate, type Tensor } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import type { Layer, NeuronName } from "../../test/support/layers.ts";
import { expectAsOnTensors, expectSameBits, mainOf, statesOf } from "../../test/support/layers.ts";
import { random, values } from "../../test/support/tensors.ts";

type Options<Name extends NeuronName> = NonNullable<ConstructorParameters<(typeof all)[Name]>[0]>;

interface Row<Name extends NeuronName> {
  /** Currents [low, high] that make it fire; default −0.5 to 1.5. */
  readonly currents?: readonly [low: number, high: number];
  /** Smaller ones, for differences; default half of them. */
  readonly gentle?: readonly [low: number, high: number];
  /** How far states may start from those at the start; default 0.5. */
  readonly spread?: number;
  /** Options besides the defaults and presets. */
  readonly variants?: Readonly<Record<string, Options<Name>>>;
  /** Names of presets that the class does not tell. */
  readonly presets?: readonly string[];
  /** Tolerances of gradcheck. */
  readonly check?: { readonly eps?: number; readonly atol?: number; readonly rtol?: number };
}

const resets = { late: { resetDelay: true, reset: "subtract", detachReset: false } } as const;

/** One row for each neuron. */
const ROWS: { readonly [Name in NeuronName]: Row<Name> } = {
  LIF: { currents: [-1, 20], presets: ["snntorch", "norse", "spikingjelly", "nir"], variants: resets },
  IF: { currents: [-1, 20], variants: resets },
  ParametricLIF: {},
  Lapicque: {
    currents: [-1, 10],
    variants: {
      "from beta": { beta: 0.5, learn: ["R", "C", "threshold"] },
      "by Euler": { decay: "euler", R: 2, C: 4, learn: ["R", "C", "timeStep"], reset: "subtract", resetDelay: true },
    },
  },
  Synaptic: { variants: { ...resets, learned: { learn: ["alpha", "beta", "threshold"], refractorySteps: 2 } } },
  SynapticIntegrator: { variants: { learned: { learn: ["alpha", "beta"] } } },
  Alpha: {
    currents: [-1, 4],
    variants: {
      learned: { learn: ["alpha", "beta", "threshold"] },
      subtract: { reset: "subtract", detachReset: false, learn: ["threshold"] },
      "late zero": { reset: "zero", resetDelay: true },
      "late subtract": { reset: "subtract", resetDelay: true, detachReset: false },
    },
  },
  KLIF: {},
  AdaptiveLIF: { currents: [-1, 60], gentle: [-0.5, 1] },
  AdLIF: { currents: [-1, 12] },
  ConductanceLIF: { currents: [-20, 40] },
  ExponentialIF: {},
  QuadraticIF: {},
  // In mV and pA: wider differences, which roundings of large values do not hide.
  AdEx: { currents: [0, 30000], gentle: [0, 500], check: { eps: 1e-3 } },
  Izhikevich: { currents: [0, 30], check: { eps: 1e-3 } },
  ResonateAndFire: {},
  TsodyksMarkram: { currents: [0, 1], spread: 0.1 },
};

const [T, B, N] = [12, 2, 21];

for (const [name, row] of Object.entries(ROWS) as [NeuronName, Row<NeuronName>][]) {
  const Class = snn[name] as unknown as new (options?: object) => Layer;
  const {
    currents: [low, high] = [-0.5, 1.5],
    gentle = [low / 2, high / 2],
    spread = 0.5,
    variants = {},
    presets = [],
    check = {},
  } = row;
  const numerics = Object.keys((new Class() as unknown as { form: { numerics?: object } }).form.numerics ?? {});
  const cases: Record<string, object> = { defaults: {}, ...variants };
  if (mainOf(new Class()) === "spikes") {
    cases.held = { refractorySteps: 2 };
    cases.leaking = { refractorySteps: 2, refractory: "leak" };
  }
  for (const preset of [...numerics, ...presets]) cases[`numerics: ${preset}`] = { numerics: preset };

  describe.each(Object.entries(cases))(`${name}, %s`, (_, options) => {
    const x = random([T, B, N], 1, { low, high });

    test("forward, unroll, step and Stream have the same bits", () => {
      const z = expectSameBits(new Class(options), x);
      expect(values(z).every(Number.isFinite)).toBe(true);
      expect(values(z).some((v) => v !== 0)).toBe(true);
    });

    test("values and gradients are those of the step on tensors", () => {
      const layer = new Class(options);
      x.requiresGrad = true;
      expectAsOnTensors(layer, x, statesOf(layer, [B, N], spread));
      x.requiresGrad = false;
    });

    test("with the smooth step the gradients are exact", () => {
      const layer = new Class({ ...options, spiking: false, surrogate: surrogate.sigmoid({ slope: 2 }) });
      const start = statesOf(layer, [2, 3], spread / 4, false);
      const small = random([4, 2, 3], 2, { low: gentle[0], high: gentle[1] });
      const names = Object.keys(start).filter((key) => key !== "refractory");
      gradcheck(
        (current, ...states) => {
          const from = { ...start, ...Object.fromEntries(names.map((key, i) => [key, states[i] as Tensor])) };
          const record = layer.unroll(current, from);
          return stack([(record[mainOf(layer)] as Tensor).sum(), (record.membrane ?? current).square().mean()]);
        },
        [small, ...names.map((key) => start[key] as Tensor)],
        check,
      );
    });
  });
}
