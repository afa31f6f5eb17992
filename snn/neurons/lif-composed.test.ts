/** The fused LIF compared with a neuron of tensor ops, for every combination of the options. */
import { describe, expect, test } from "vitest";
import { tensor } from "../../engine/index.ts";
import type { Gradients, Read, RunOptions } from "../../test/support/lif.ts";
import {
  composed,
  constants,
  everyOption,
  fused,
  gradientsOf,
  KnownLIF,
  READS,
  SURROGATES,
  valuesOf,
} from "../../test/support/lif.ts";
import { values } from "../../test/support/tensors.ts";
import { LIF, type LIFOptions, surrogate } from "../index.ts";

const INITIAL = [false, true];

function nameOf({ reset, resetDelay, detachReset, refractorySteps, fire }: LIFOptions): string {
  const words = [`reset ${reset}`, resetDelay ? "delayed" : "at once", detachReset ? "detached" : "attached"];
  return [...words, `held ${refractorySteps} steps`, `fires at ${fire}`].join(", ");
}

/** Further options, for combinations in which they have an effect. */
function furtherOptions({ reset, resetDelay, refractorySteps }: LIFOptions): LIFOptions[] {
  const each = tensor([0.25, -0.25, 0, 0.5, -0.5]);
  const all: LIFOptions[] = [
    { lowerBound: 0.25 },
    { lowerBound: each, rest: each, inputScale: "leak", learn: ["lowerBound", "rest"] },
    { gradedSpikesFactor: tensor([2, 0.5, 2, 1, 4]), learn: ["gradedSpikesFactor", "inputScale"] },
    { inhibition: true },
    { inhibition: "output", gradedSpikesFactor: 2 },
  ];
  if (reset === "zero") all.push({ resetValue: each, learn: ["resetValue"] });
  if (reset === "zero" && resetDelay)
    all.push({ resetInput: true }, { resetInput: true, resetValue: -0.5, lowerBound: 0 });
  if (refractorySteps !== 0) {
    const leak = { refractory: "leak", rest: 0.5, lowerBound: 0.25 } as const;
    all.push(leak, { ...leak, ...(reset === "zero" && resetDelay && { resetInput: true }) });
  }
  return all.map((options) => ({ surrogate: surrogate.sigmoid({ slope: 3 }), ...options }));
}

/**
 * Both sides use the same float32 derivatives of the same membrane; sums over time and batch have a different order, and kernels approximate exp
 * to 2·10⁻⁷.
 */
function expectSameGradients(where: string, got: Gradients, expected: Gradients): void {
  for (const name of ["current", "beta", "threshold", "v", "others"] as const) {
    const largest = Math.max(1, ...expected[name].map(Math.abs));
    if (got[name].length !== expected[name].length) expect.fail(`${where}: ${got[name].length} gradients of ${name}`);
    const wrong = expected[name].findIndex((x, i) => !(Math.abs(x - (got[name][i] as number)) <= 5e-6 * largest));
    if (wrong < 0) continue;
    expect.fail(`${where}: gradient ${name}[${wrong}]: got ${got[name][wrong]}, expected ${expected[name][wrong]}`);
  }
}

function compareGradients(where: string, lif: KnownLIF, initial: boolean, reads: readonly Read[] = READS): void {
  for (const read of reads) {
    const [got, expected] = [fused, composed].map((unroll) => gradientsOf(lif, read, { unroll, initial }));
    expectSameGradients(`${where}, loss of ${read}`, got as Gradients, expected as Gradients);
  }
}

describe.each(everyOption())("lif", (options) => {
  const name = nameOf(options);

  test(`lif: spikes, membrane, v and state are those of the tensor ops, ${name}`, () => {
    for (const perNeuron of [false, true]) {
      for (const extra of [
        {},
        { rest: 0.25, inputScale: 0.5, ...(options.reset === "zero" && { resetValue: -0.25 }) },
      ]) {
        const lif = new KnownLIF({ ...options, ...extra, ...constants(perNeuron) });
        for (const initial of INITIAL) {
          const run = (unroll: RunOptions["unroll"]) => valuesOf(lif, { unroll, initial });
          const expected = run(composed);
          // All values are short binary fractions: nothing is rounded on either side.
          expect(run(fused)).toEqual(expected);
          expect(new Set(expected.spikes)).toEqual(new Set([0, 1]));
        }
      }
    }
  });

  test(`lif: a floor, decay in refractory steps, graded spikes and a winner are those of the tensor ops, ${name}`, () => {
    for (const more of furtherOptions(options)) {
      const where = Object.entries(more)
        .map(([key, value]) => `${key} ${value}`)
        .join(", ");
      const lif = new KnownLIF({ ...options, ...constants(true), ...more });
      for (const initial of INITIAL) {
        const run = (unroll: RunOptions["unroll"]) => valuesOf(lif, { unroll, initial });
        const expected = run(composed);
        expect(run(fused), where).toEqual(expected);
        expect(expected.spikes, where).toContain(lif.options.gradedSpikesFactor === undefined ? 1 : 2);
        compareGradients(where, lif, initial, ["all"]);
      }
    }
  });

  test(`lif: all gradients are those of the tensor ops, ${name}`, () => {
    for (const [i, surrogate] of SURROGATES.entries()) {
      for (const perNeuron of [false, true]) {
        for (const learn of [false, true]) {
          const learned = { learnBeta: learn, learnThreshold: learn };
          const lif = new KnownLIF({ ...options, ...constants(perNeuron), ...learned, surrogate });
          const where = `${surrogate.name}, ${perNeuron}, ${learn}`;
          // Each loss compiles separate code, so only some are run: all outputs together from both states, each alone with every surrogate from one.
          const one = READS[(i + 2 * Number(perNeuron) + Number(learn)) % 4] as Read;
          compareGradients(where, lif, (i + Number(perNeuron)) % 2 === 1, [one]);
          for (const initial of INITIAL) compareGradients(where, lif, initial, ["all"]);
        }
      }
    }
  });

  test(`lif: one learned parameter, rest, scale and reset value have the gradients of the tensor ops, ${name}`, () => {
    for (const learnBeta of [false, true]) {
      const learned = { learnBeta, learnThreshold: !learnBeta };
      const extra = { rest: 0.25, inputScale: 0.5, ...(options.reset === "zero" && { resetValue: -0.25 }) };
      const lif = new KnownLIF({ ...options, ...extra, ...constants(learnBeta), ...learned });
      for (const initial of INITIAL) compareGradients(`learnBeta ${learnBeta}`, lif, initial);
    }
  });
});

test("lif: a beta and a threshold [1] serve a current of one axis, with tensor ops too", () => {
  const options = { beta: tensor([0.5]), threshold: tensor([1]), surrogate: surrogate.sigmoid({ slope: 2 }) };
  const current = tensor([1.5, 0.25, 1]);
  const lif = new KnownLIF(options);
  const expected = values(lif.unroll(current).membrane);
  expect(values(composed(lif, current, undefined).membrane)).toEqual(expected);
  const smooth = new LIF({ ...options, spiking: false, reset: "none" });
  expect(smooth.forward(current).shape).toEqual([3]);
  const state = smooth.initialState([]);
  expect(smooth.step(tensor(1.5), state)[1].v.shape).toEqual([]);
});
