/** Definitions of rules: names, members and options that are rejected. */
import type { Rule, Value } from "jarvis-snn";
import {
  Conv2d,
  Hebbian,
  LIF,
  Linear,
  neuron,
  Oja,
  ones,
  Plastic,
  plasticity,
  RewardSTDP,
  STDP,
  TripletSTDP,
  zeros,
} from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { bytesKept } from "../../test/support/tensors.ts";

/** A change of 0.1. */
const tenth = ({ constant }: { constant(c: number): Value }): Value => constant(0.1);

const VALID = {
  name: "Odd",
  traces: { x: { of: "pre", tau: 20 } },
  synapse: { e: { tau: 10 } },
  parameters: { rate: 0.1 },
  choices: { mode: ["one", "two"], isFast: false },
  onPost: tenth,
};

type Class = new (options?: object) => object;

const rule = (members: object): Class => plasticity({ ...VALID, ...members } as never) as unknown as Class;

describe("plasticity: a name that a definition does not know is an error, with the names that it knows", () => {
  const TRACE = "expected the options of, tau, amount, set, average, input";
  test.each<[object, string]>([
    [
      { onSpike: () => 1 },
      "plasticity: expected the options name, traces, synapse, parameters, choices, needs, constrain, order, numerics, explains, " +
        "onPre, onPost, onStep, onReward, got onSpike",
    ],
    [{ onpost: () => 1 }, "plasticity: expected a known option, got onpost; did you mean onPost?"],
    [{ traces: { x: { of: "pre", tau: 20, height: 4 } } }, `Odd: the trace x: ${TRACE}, got height`],
    [{ synapse: { e: { tau: 10, init: 4 } } }, "Odd: the state e: expected the options tau, got init"],
    [
      { numerics: { peer: { speed: 1 } } },
      "Odd: numerics.peer: expected the options rate, mode, isFast, dt, decay, order, rewardAfter, got speed",
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
    const ofTrace = rule({ traces: { x: () => ({ of: "pre", tau: 20, height: 4 }) } });
    const ofState = rule({ synapse: { e: () => ({ tau: 10, init: 4 }) } });
    const making = (Made: Class) => () => new Made({ rate: 0.5 });
    const kept = bytesKept(() => {
      expect(making(ofTrace)).toThrow(new TypeError(`Odd: the trace x: ${TRACE}, got height`));
      expect(making(ofState)).toThrow(new TypeError("Odd: the state e: expected the options tau, got init"));
    });
    expect(kept).toBe(0);
  });
});

test("plasticity: a name that no message could begin with is an error of plasticity", () => {
  for (const name of ["", "1", "__proto__", ": x", 3, null]) {
    expect(() => rule({ name, choices: class {} })).toThrow(
      new TypeError(`plasticity: expected a name that begins with a letter, got ${JSON.stringify(name)}`),
    );
  }
  expect(new (rule({ name: "Änderung 2" }))()).toHaveProperty("name", "Änderung 2");
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
  expect(() => neuron({ ...valid, equation: 1 } as never)).toThrow(
    new TypeError(
      "neuron: expected the options name, state, parameters, reset, choices, without, needs, constrain, numerics, step, got equation",
    ),
  );
  expect(() => neuron({ ...valid, numerics: { peer: { decay: 1 } } } as never)).toThrow(
    /^Odd: numerics\.peer: expected the options beta, .*, got decay$/,
  );
});

describe("plasticity: members without effect are errors", () => {
  const both = "Odd: expected the trace x with set: true or with input, which adds to it, got both";

  test("a trace with set and input", () => {
    const trace = { of: "pre", tau: 20, set: true, input: (x: object) => x };
    expect(() => rule({ traces: { x: trace } })).toThrow(new RangeError(both));
    const Made = rule({ traces: { x: ({ isFast }: { isFast: boolean }) => ({ ...trace, set: isFast }) } });
    expect(new Made()).toBeInstanceOf(Made);
    expect(bytesKept(() => expect(() => new Made({ isFast: true })).toThrow(new RangeError(both)))).toBe(0);
  });

  test("explains without onStep", () => {
    const message = "Odd: expected onStep with explains, got onPost";
    for (const explains of ["all", "below", () => "all"]) {
      expect(() => rule({ explains })).toThrow(new RangeError(message));
      expect(rule({ explains, onStep: tenth })).toBeTypeOf("function");
    }
    expect(rule({ explains: null })).toBeTypeOf("function");
  });

  test("a need that is no list, and no factor", () => {
    expect(() => rule({ needs: { rate: { mode: "not 0" } } })).toThrow(
      new TypeError('Odd: expected needs.rate.mode as a list of values, got "not 0"'),
    );
    expect(rule({ needs: { mode: { rate: "not 0" } } })).toBeTypeOf("function");
  });
});

describe("plasticity: options without effect are errors", () => {
  test("rewardAfter of a rule without onReward", () => {
    const message = 'STDP: expected rewardAfter "events" of a rule without onReward, got "nothing"';
    const kept = bytesKept(() => {
      expect(() => new STDP({ rewardAfter: "nothing" })).toThrow(new RangeError(message));
    });
    expect(kept).toBe(0);
    expect(new STDP({ rewardAfter: "events" }).rewardAfter).toBe("events");
    expect(new RewardSTDP({ rewardAfter: "nothing" }).rewardAfter).toBe("nothing");
  });

  test("decay and order of a rule without traces", () => {
    const kept = bytesKept(() => {
      expect(() => new Oja({ decay: "euler" })).toThrow(
        new RangeError('Oja: expected decay "exp" of a rule without traces, got "euler"'),
      );
      expect(() => new Oja({ variant: "sanger", order: "after" })).toThrow(
        new RangeError('Oja: expected order "before" of a rule without traces, got "after"'),
      );
      const rates = { activity: "rates" } as const;
      for (const option of [{ decay: "euler" }, { order: "postFirst" }] as const) {
        expect(() => new Hebbian({ ...rates, ...option })).toThrow(/ of a rule without traces, got /);
      }
    });
    expect(kept).toBe(0);
    expect(new Oja({ decay: "exp", order: "before" }).order).toBe("before");
    expect(new Hebbian({ order: "after", decay: "euler" }).decay).toBe("euler");
    expect(new Hebbian({ activity: "rates", numerics: "bindsnet" }).order).toBe("after");
  });

  test("dt of a rule whose changes do not depend on time", () => {
    const layer = new Linear(2, 1, { bias: false });
    const make = (made: object) => () => new Plastic(layer, made as Rule);
    const message = "Oja: expected dt 1 of a rule whose changes do not depend on time, got 0.5";
    const oja = new Oja({ dt: 0.5 });
    expect(bytesKept(() => expect(make(oja)).toThrow(new RangeError(message)))).toBe(0);
    expect(make(new Oja({ dt: 1 }))()).toBeInstanceOf(Plastic);
    const bare = { traces: {}, synapse: {}, onPost: undefined };
    const onStep = ({ w, dt }: { w: { mul(x: never): number }; dt: never }) => w.mul(dt);
    for (const members of [{ onStep }, { onPost: tenth }, { onStep: tenth, synapse: { e: { tau: 10 } } }]) {
      expect(make(new (rule({ ...bare, ...members }))({ dt: 0.5 }))()).toBeInstanceOf(Plastic);
    }
  });

  test("slow time constants of triplets where a preset has set the amplitude to 0", () => {
    const minimal = ["visualAllMinimal", "visualNearestMinimal", "hippocampusAllMinimal", "hippocampusNearestMinimal"];
    for (const numerics of minimal as "visualAllMinimal"[]) {
      const message = "TripletSTDP: expected a3Minus other than 0 with tauX, got 0";
      expect(
        bytesKept(() => expect(() => new TripletSTDP({ numerics, tauX: 50 })).toThrow(new RangeError(message))),
      ).toBe(0);
      expect(new TripletSTDP({ numerics, tauX: 50, a3Minus: 0.1 }).tauX.item()).toBe(50);
      expect(new TripletSTDP({ numerics, tauY: 50 }).tauY.item()).toBe(50);
    }
    // A given 0 is an ordinary value.
    expect(new TripletSTDP({ tauX: 50, a3Minus: 0 }).tauX.item()).toBe(50);
    expect(new TripletSTDP({ numerics: "visualAllFull", tauX: 50, tauY: 50 }).tauX.item()).toBe(50);
  });
});

describe("plasticity: errors name what a caller has written", () => {
  const layer = new Linear(2, 1, { bias: false });
  const connect = (members: object) => () => new Plastic(layer, new (rule(members))() as Rule);
  const names = "w, pre, post, reward, dt, low, high";
  const functions = "where, select, spike, softplus, constant";
  type Names = Readonly<Record<string, number>>;

  test.each([
    ["onPre", "zz"],
    ["onPost", "explained"],
    ["onStep", "explained"],
    ["onReward", "x+"],
    ["onPost", "scale of e"],
    ["onPost", "sum of changes"],
    ["onStep", "toString"],
    ["onStep", "power"],
  ])("%s that asks for %s gets the names of the rule alone", (event, key) => {
    const message = `Odd: ${event} asks for ${key}; expected ${names}, x, e, rate, or ${functions}`;
    expect(connect({ [event]: (argument: Names) => argument[key] })).toThrow(new TypeError(message));
  });

  test("explained is among the names of onStep with explains", () => {
    const message = `Odd: onStep asks for zz; expected ${names}, explained, x, e, rate, or ${functions}`;
    expect(connect({ explains: "all", onStep: ({ zz }: Names) => zz })).toThrow(new TypeError(message));
    expect(connect({ explains: "all", onStep: ({ explained }: Names) => explained })).not.toThrow();
    expect(connect({ explains: "all", onStep: tenth, onPost: ({ explained }: Names) => explained })).toThrow(
      new TypeError(`Odd: onPost asks for explained; expected ${names}, x, e, rate, or ${functions}`),
    );
    expect(new Plastic(layer, new Oja({ variant: "sanger" }))).toBeInstanceOf(Plastic);
  });

  test.each<[string, object, string]>([
    [
      "a number",
      { onPost: () => 0.1 },
      "onPost to return the change of w as a value, got 0.1; write where(c, a, b) for an if or a ?:, or constant(0.1)",
    ],
    [
      "a number of a state",
      { onPost: ({ x }: Names) => ({ w: x, e: 0 }) },
      "onPost to return the change of e as a value, got 0; write where(c, a, b) for an if or a ?:, or constant(0)",
    ],
    ["nothing", { onPre: () => undefined }, "onPre to return the change of w as a value, got undefined"],
    ["a promise", { onPre: async ({ x }: Names) => x }, "onPre to return the change of w as a value, got object"],
    [
      "a generator",
      {
        *onPre({ x }: Names) {
          yield x;
        },
      },
      "onPre to return the change of w as a value, got object",
    ],
    [
      "a number as the input of a trace",
      { traces: { x: { of: "pre", tau: 20, input: () => 1 } }, onPost: ({ x }: Names) => x },
      "the input of x to return as a value, got 1; write where(c, a, b) for an if or a ?:, or constant(1)",
    ],
    [
      "nothing as the input of a trace",
      { traces: { x: { of: "pre", tau: 20, input: () => undefined } }, onPost: ({ x }: Names) => x },
      "the input of x to return as a value, got undefined",
    ],
  ])("a rule that returns %s", (_, members, message) => {
    const step = () => {
      const plastic = connect(members)();
      plastic.step(ones([1, 2]), zeros([1, 1]), plastic.initialState(1));
    };
    expect(step).toThrow(new TypeError(`Odd: expected ${message}`));
  });

  test.each(["x+", "sum of changes", "a.b", "1", "", "v,w"])("names such as %j, which are no identifiers", (name) => {
    const message = new TypeError(`Odd: expected names that are identifiers, got ${JSON.stringify(name)}`);
    const trace = { of: "pre", tau: 20 };
    for (const members of [
      { traces: { [name]: trace } },
      { synapse: { [name]: { tau: 0 } } },
      { parameters: { [name]: 1 } },
    ]) {
      expect(() => rule(members)).toThrow(message);
    }
  });

  test("shapes of spikes show the batch by its letter on both sides", () => {
    const plastic = new Plastic(new Conv2d(2, 3, 3), new STDP());
    expect(() => plastic.initialState([1, 9])).toThrow(
      new RangeError("STDP.initialState: expected spikes before [B, 2, H, W], got [B, 9]"),
    );
    expect(() => plastic.initialState([1, 2, 2, 5])).toThrow(
      new RangeError(
        "STDP.initialState: expected spikes before at least as large as the window, [3, 3], got [B, 2, 2, 5]",
      ),
    );
    const linear = new Plastic(layer, new STDP());
    expect(() => linear.step(zeros([1, 3]), zeros([1, 1]), linear.initialState(1))).toThrow(
      new RangeError("STDP.step: expected spikes before [B, 2], got [B, 3]"),
    );
  });

  test("layers, bounds and events of another kind", () => {
    const make = (first: unknown, options?: unknown) => () =>
      new Plastic(first as Linear, new STDP(), options as object);
    const expected = "Plastic: expected a Linear, Conv1d or Conv2d layer";
    expect(make(new LIF())).toThrow(new TypeError(`${expected}, got LIF`));
    expect(make(new STDP())).toThrow(new TypeError(`${expected}, got object`));
    expect(make(null)).toThrow(new TypeError(`${expected}, got null`));
    expect(make(layer, { bounds: { low: 0, high: 1 } })).toThrow(
      new TypeError("Plastic: expected bounds [low, high], got object"),
    );
    const plastic = new Plastic(layer, new STDP());
    const event = 'STDP.events: kinds[0]: expected "pre", "post", "both" or { pre, post, reward }';
    const run = (kind: unknown) => () => plastic.events([0], [kind as "pre"]);
    for (const kind of [null, 3, [0]]) {
      expect(run(kind)).toThrow(new TypeError(`${event}, got ${kind === null ? null : JSON.stringify(kind)}`));
    }
    expect(() => plastic.events([0], new Array(1))).toThrow(new TypeError(`${event}, got undefined`));
    expect(run("prt")).toThrow(new RangeError(`${event}, got "prt"`));
    expect(run({ pre: 1, post: [0] })().time).toBe(0);
  });
});

describe("plasticity: numbers of a rule", () => {
  /** The change of the weight of a synapse at its spike. */
  const changeOf = (onPre: unknown, options = {}): number => {
    const single = new Linear(1, 1, { bias: false });
    single.weight.copyFrom([0]);
    const Made = rule({ traces: {}, synapse: {}, onPost: undefined, onPre, ...options });
    const plastic = new Plastic(single, new Made() as Rule);
    plastic.step(ones([1, 1]), zeros([1, 1]), plastic.initialState(1));
    return single.weight.item();
  };

  test("operations on numbers alone are computed, whichever of equal steps was compiled first", () => {
    type Argument = { pre: Value; constant(c: number): Value };
    const of = (divisor: number) => changeOf(({ constant }: Argument) => constant(1).div(divisor));
    expect([of(20), of(40)]).toEqual([Math.fround(1 / 20), Math.fround(1 / 40)]);
    expect(changeOf(({ constant }: Argument) => constant(0.5).neg())).toBe(-0.5);
    expect(changeOf(({ pre, constant }: Argument) => pre.mul(constant(2).sqrt()))).toBe(Math.fround(Math.SQRT2));
    expect(changeOf(({ pre, constant }: Argument) => constant(1).sub(0.25).mul(pre))).toBe(0.75);
  });
});
