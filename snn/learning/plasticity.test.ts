/** Definitions of rules: names, members and options that are refused. */
import { neuron, plasticity } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { bytesKept } from "../../test/support/tensors.ts";

const VALID = {
  name: "Odd",
  traces: { x: { of: "pre", tau: 20 } },
  synapse: { e: { tau: 10 } },
  parameters: { rate: 0.1 },
  choices: { mode: ["one", "two"], isFast: false },
  onPost: () => 0.1,
};

type Class = new (options?: object) => object;

const rule = (members: object): Class => plasticity({ ...VALID, ...members } as never) as unknown as Class;

describe("plasticity: a name that a definition does not know is an error, with the names that it knows", () => {
  const TRACE = "expected the options of, tau, amount, set, average, input";
  test.each<[object, string]>([
    [
      { onpost: () => 1 },
      "plasticity: expected the options name, traces, synapse, parameters, choices, needs, constrain, order, numerics, explains, " +
        "onPre, onPost, onStep, onReward, got onpost",
    ],
    [{ traces: { x: { of: "pre", tau: 20, amonut: 4 } } }, `Odd: the trace x: ${TRACE}, got amonut`],
    [{ synapse: { e: { tau: 10, init: 4 } } }, "Odd: the state e: expected the options tau, got init"],
    [
      { numerics: { peer: { rat: 1 } } },
      "Odd: numerics.peer: expected the options rate, mode, isFast, dt, decay, order, rewardAfter, got rat",
    ],
    [
      { numerics: { peer: { numerics: "peer" } } },
      "Odd: numerics.peer: expected the options rate, mode, isFast, dt, decay, order, rewardAfter, got numerics",
    ],
    [{ numerics: { peer: { isFast: "yes" } } }, 'Odd: numerics.peer: expected isFast of type boolean, got "yes"'],
    [{ numerics: { peer: 3 } }, "Odd: expected numerics.peer, options by name, got 3"],
  ])("%j", (members, message) => {
    expect(() => rule(members)).toThrow(new TypeError(message));
  });

  test("in a trace or a state that the choices give too", () => {
    const ofTrace = rule({ traces: { x: () => ({ of: "pre", tau: 20, amonut: 4 }) } });
    const ofState = rule({ synapse: { e: () => ({ tau: 10, init: 4 }) } });
    const making = (Made: Class) => () => new Made({ rate: 0.5 });
    const kept = bytesKept(() => {
      expect(making(ofTrace)).toThrow(new TypeError(`Odd: the trace x: ${TRACE}, got amonut`));
      expect(making(ofState)).toThrow(new TypeError("Odd: the state e: expected the options tau, got init"));
    });
    expect(kept).toBe(0);
  });
});

test("plasticity: a preset is what it was at the definition, and a member that is undefined counts as left out", () => {
  const preset: { rate: number; order?: string | undefined } = { rate: 0.25, order: undefined };
  const Made = rule({ numerics: { peer: preset }, order: "after", synapse: undefined });
  preset.rate = 4;
  const made = new Made({ numerics: "peer" }) as unknown as { rate: { item(): number }; order: string };
  expect(made.rate.item()).toBe(0.25);
  expect(made.order).toBe("after");
});

test("neuron: a name that a definition does not know is an error", () => {
  const valid = { name: "Odd", state: { v: 0 }, parameters: { beta: 1 }, step: ({ v }: { v: object }) => ({ v }) };
  expect(() => neuron({ ...valid, stpe: 1 } as never)).toThrow(
    new TypeError(
      "neuron: expected the options name, state, parameters, reset, choices, without, needs, learn, constrain, numerics, step, got stpe",
    ),
  );
  expect(() => neuron({ ...valid, numerics: { peer: { bta: 1 } } } as never)).toThrow(
    /^Odd: numerics\.peer: expected the options beta, .*, got bta$/,
  );
});
