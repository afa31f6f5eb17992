/**
 * Every neuron of the package, with its defaults, its presets and the variants of its row: all ways to run it give the same bits, values and
 * gradients equal its step on tensors, and with the smooth step the gradients are exact.
 */
import { gradcheck, stack, surrogate, type Tensor } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import type { NeuronName } from "../../test/support/layers.ts";
import { expectAsOnTensors, expectSameBits, mainOf, statesOf } from "../../test/support/layers.ts";
import { compare } from "../../test/support/loops.ts";
import { NEURON_ROWS, type NeuronRow, neuronClass } from "../../test/support/neuron-rows.ts";
import { random, values } from "../../test/support/tensors.ts";

const [T, B, N] = [12, 2, 21];

for (const [name, row] of Object.entries(NEURON_ROWS) as [NeuronName, NeuronRow<NeuronName>][]) {
  const Class = neuronClass(name);
  const {
    currents: [low, high] = [-0.5, 1.5],
    gentle = [low / 2, high / 2],
    spread = 0.5,
    variants = {},
    presets = [],
    check = {},
    loops = {},
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
      const start = statesOf(layer, [1, 3], spread / 4, false);
      const small = random([4, 1, 3], 2, { low: gentle[0], high: gentle[1] });
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

  for (const [title, { options, loop, scale }] of Object.entries(loops)) {
    test(`${name}, ${title}: as in a float64 loop`, () => compare(new Class(options), loop, scale));
  }
}
