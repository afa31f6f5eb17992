import fc from "fast-check";
import { LeakyIntegrator } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { parse, rewritten, structureOf, wordsOf } from "./language.ts";
import { TypedNeuron } from "./model.ts";
import { PRESETS } from "./presets.ts";
import { LanguageError, type Problem } from "./reader.ts";

/** The problem of a text, or null; anything else that is thrown fails the test. */
function problemOf(text: string): Problem | null {
  try {
    new TypedNeuron(parse(text)).dispose();
    return null;
  } catch (error) {
    if (error instanceof LanguageError) return error.problem;
    throw error;
  }
}

/** The forward part of the equations that the package prints. */
function printed(text: string): string[] {
  const typed = new TypedNeuron(parse(text));
  const lines = typed.printed.split("\n").map((line) => line.trim());
  typed.dispose();
  return lines.slice(1, lines.indexOf("backward"));
}

const LEAKY = "β = 0.9\nθ = 1\nu = β·v + I\ns = [u ≥ θ]\nv′ = 0 if s else u";

test("a text has parameters with their places, states, a spike, a membrane and a threshold", () => {
  const { parameters, states, spike, membrane, body, threshold, isStrict } = parse(`${LEAKY}\nv[0] = −0.5`);
  expect([...parameters]).toEqual([
    ["β", { value: 0.9, from: 4, to: 7 }],
    ["θ", { value: 1, from: 12, to: 13 }],
  ]);
  expect({ states, spike, membrane, body, threshold, isStrict }).toEqual({
    states: ["v"],
    spike: "s",
    membrane: "u",
    body: "v",
    threshold: "θ",
    isStrict: false,
  });
});

test("signs of any keyboard read as the signs of equations", () => {
  const typed = "β = 0.9; θ = 1\nu = β*v + I # leak\ns = [u >= θ]\nv' = 0 if s else u";
  expect(printed(typed)).toEqual(printed(LEAKY));
  expect(printed(typed.replace("v'", "v’"))).toEqual(printed(LEAKY));
});

describe("the equations that the package prints are a text of the same neuron", () => {
  test.each(PRESETS.map(({ name, text }) => [name, text]))("%s", (_, text) => {
    const lines = printed(text);
    const numbers = [...parse(text).parameters].map(([name, { value }]) => `${name} = ${value}`);
    const again = printed([...numbers, ...lines].join("\n"));
    // The printed lines name values that are used more than once, and their copy has names for these.
    expect(again.map((line) => line.replace(/x\d+/g, "x"))).toEqual(lines.map((line) => line.replace(/x\d+/g, "x")));
  });
});

/** Odd texts: null where the text is a neuron, else the characters that are underlined and a part of the sentence. */
const ODD: [text: string, problem: null | [underlined: string, message: string]][] = [
  ["v′ = v + I", null],
  ["v' = min(v, 3)^2 + 2I", null],
  ["v′ = |v|·√(I + 4) − 2(v − 1)", null],
  ["v′ = v·v·v·v + exp(v) + I", null],
  ["ẋ = I\nv′ = v + ẋ", null],
  ["v′ = I / 0", null],
  ["", ["", "a neuron has a state"]],
  ["u = I + 1", ["u = I + 1", "a neuron has a state"]],
  ["v′ = β·v + I", ["β", "there is no name β: give it a value"]],
  ["u = β·v + I", ["β", "there is no name β"]],
  ["v′ = u\nu = v + I", ["u", "u is used before line 2 gives it"]],
  ["v′ = v +", [" ", "expected a number, a name or a bracket, got the end of the line"]],
  ["v′ = (v + I", [" ", "expected “)”"]],
  ["v′ = v ? 1 : 0", ["?", "no sign of an equation"]],
  ["v′ = foo(v)", ["foo", "foo is no function, among exp"]],
  ["v′ = max(v)", ["max", "max takes two values, got 1"]],
  ["v′ = constructor(v)", ["constructor", "is no function"]],
  ["v′ = toString", ["toString", "there is no name toString"]],
  ["__proto__ = 1\nv′ = v + __proto__", ["__proto__", "is a name that is taken"]],
  ["current′ = current + I", ["current", "is a name that is taken"]],
  ["I = 2\nv′ = v", ["I", "I is the input current"]],
  ["exp = 2\nv′ = v", ["exp", "exp is a function"]],
  ["v = 2\nv′ = v", ["v", "v is a state"]],
  ["v′ = v\nv′ = I", ["v′", "v′ is given twice"]],
  ["w[0] = 2\nv′ = v", ["w", "w is no state"]],
  ["v[1] = 2\nv′ = v", ["1", "no index but [0]"]],
  ["v[0] = I\nv′ = v", ["I", "v[0] is computed from parameters, and I is none"]],
  ["v[0] = 1 − k\nk = 2\nv′ = v + k", ["−", "an expression that begins with a parameter"]],
  ["s = [v ≥ 1]\nz = [v > 2]\nv′ = v + I", [">", "all ≥ or all >"]],
  ["s = v\nv′ = v + I", ["s", "spikes to be 0 or 1"]],
  ["v′ = [v + I]", ["[v + I]", "expected a comparison"]],
  ["v′ = v^I", ["I", "an exponent is a number"]],
  ["v′ = v + 1e99", ["1e99", "range of float32"]],
  ["v′ = v + 2/0", ["/", "expected a finite number"]],
  ["v′ = if", ["if", "expected a number"]],
  ["dv/dt = (−v + I)/20", ["dv/dt", "a rate needs a step: v′ = v + dt·(…), with a line such as dt = 0.1"]],
  ["d/dτ w = I\nv′ = v", ["d/dτ", "a rate needs a step: w′ = w + dτ·(…)"]],
  ["v′ = v**2 + I", ["**", "** is ^"]],
  ["v′ = 2**v", ["**", "** is ^"]],
  ["u = banana split\ns = [u > 1]", ["banana", "there is no name banana"]],
  ["v′ = (v banana + I)", ["banana", "there is no name banana"]],
  ["v′ = max(v I)", ["I", "between v and I, as in v·I"]],
  ["v′ = exp v", ["v", "between exp and v, as in exp(v)"]],
  ["a = b\nb = a\ns = [a ≥ 1]", ["b", "b is used before line 2 gives it: move that line up, or write b′ = …"]],
  ["u = 0.9v + I\ns = [u ≥ 1]\nv = 0 if s else u", ["v", "v is used before line 3 gives it"]],
  ["u = w′\nv′ = u\nw′ = w", ["w′", "w′ is used before line 3 gives it: move that line up"]],
  ["v = 0.9v + I", ["v", "v is used in the line that gives it: write v′ = … for a state"]],
  ["v[t] = 0.9·v[t−1] + I", ["t", "v′ is v[t], and v is v[t−1]"]],
  ["v′ = 0.9·v[t−1] + I", ["v[", "v′ is v[t], and v is v[t−1]"]],
  [`v′ = ${"(".repeat(200)}v${")".repeat(200)}`, ["(", "in each other"]],
  [`v′ = v${" + I".repeat(400)}`, ["+", "at most 300 operations"]],
  [`v′ = v # ${"a".repeat(5000)}`, ["a".repeat(1009), "at most 4000 characters"]],
];

test.each(ODD.map((odd) => [JSON.stringify(odd[0]).slice(0, 60), ...odd] as const))("%s", (_, text, expected) => {
  const problem = problemOf(text);
  if (problem === null || expected === null) return expect(problem).toBe(expected);
  const [underlined, message] = expected;
  expect(problem.message).toContain(message);
  if (underlined.trim() !== "") expect(text.slice(problem.from, problem.to)).toBe(underlined);
  expect(problem.to).toBeGreaterThan(problem.from);
});

/** A chain that applies an operation so many times. */
function chained(count: number, link: (x: string) => string): string {
  const lines = Array.from({ length: count }, (_, i) => `x${i + 1}=${link(i === 0 ? "v" : `x${i}`)}`);
  return [...lines, `v′=x${count}`].join("\n");
}

test.each([
  ["sums", 288, (x: string) => `${x}+I`],
  ["signs", 288, (x: string) => `−${x}`],
  ["products", 250, (x: string) => `${x}·I`],
  ["quotients", 144, (x: string) => `${x}/I`],
  ["roots", 144, (x: string) => `√${x}`],
  ["sizes", 144, (x: string) => `|${x}|`],
  ["choices", 144, (x: string) => `0 if I else ${x}`],
  ["the larger ones", 72, (x: string) => `max(${x}, I)`],
  ["events", 72, (x: string) => `[${x} ≥ 1]`],
  ["exponentials", 14, (x: string) => `exp(${x})`],
  // Each of them computes half of the step again: 12 + 11·20 + 11·11/2.
  ["sines", 11, (x: string) => `sin(${x})`],
  ["powers", 11, (x: string) => `${x}^1.5`],
  ["softplus", 11, (x: string) => `softplus(${x})`],
  ["powers and sums", 9, (x: string) => `${x}^3 + ${x}`],
] as const)("a text has as many operations as a keystroke can compile: %s", (_, most, link) => {
  expect(parse(chained(most, link)).cost.operations).toBeLessThanOrEqual(300);
  expect(() => parse(chained(most + 1, link))).toThrow("at most 300 operations");
});

test("a text has as many states as a keystroke can compile", () => {
  const states = (count: number) => Array.from({ length: count }, (_, i) => `v${i}′ = I`).join("\n");
  expect(parse(states(25)).states.length).toBe(25);
  expect(() => parse(states(26))).toThrow(
    "at most 300 operations in all lines: exp, sin and the like count as 20, a state as 12",
  );
});

test("a text has as many parameters as a keystroke can make sliders for", () => {
  const parameters = (count: number) => `${Array.from({ length: count }, (_, i) => `p${i} = 0.5`).join("\n")}\nv′ = I`;
  expect(parse(parameters(144)).parameters.size).toBe(144);
  expect(() => parse(parameters(145))).toThrow("at most 300 operations");
});

test("the neuron of Hodgkin and Huxley is within the limits", () => {
  const rates = ["0.01(10 − v)/(exp((10 − v)/10) − 1)", "0.125exp(−v/80)", "0.1(25 − v)/(exp((25 − v)/10) − 1)"];
  const others = ["4exp(−v/18)", "0.07exp(−v/20)", "1/(exp((30 − v)/10) + 1)"];
  const lines = [...rates, ...others].map((rate, i) => `r${i} = ${rate}`);
  const gates = ["n", "m", "h"].map((x, i) => `${x}′ = ${x} + dt·(r${2 * i}·(1 − ${x}) − r${2 * i + 1}·${x})`);
  const u = "u = v + dt·(I − 120·m³·h·(v − 115) − 36·n²²·(v + 12) − 0.3(v − 10.6))";
  const equations = parse(["dt = 0.02", ...lines, ...gates, u, "s = [u ≥ 50]", "v′ = u"].join("\n"));
  expect(equations.cost.doubles).toBe(1);
});

test("names that layers of the package have are refused at their place", () => {
  const names = new Set<string>();
  for (let object: object = new LeakyIntegrator(); object !== null; object = Object.getPrototypeOf(object))
    for (const name of Object.getOwnPropertyNames(object)) if (/^[a-z_]\w*$/i.test(name)) names.add(name);
  expect(names.size).toBeGreaterThan(30);
  for (const name of names) {
    const problem = problemOf(`${name} = 2\nv′ = v + I·${name}`);
    if (problem !== null) expect([name, problem.from, problem.to]).toEqual([name, 0, name.length]);
  }
  // Those without a problem do no harm: a second look at one of them.
  expect(problemOf("forward = 2\nv′ = v + I·forward")?.message).toContain("taken");
});

/** Parts of texts, odd ones among them. */
const PARTS = [
  ..."βθvwIsu0123 .=+−·/^²³[]()|,;\n′'#√σ",
  ..."<> ≥ ≤ if else v′ w′ [0] = e99 __proto__ constructor prototype hasOwnProperty detach( exp( max( import eval `${".split(
    " ",
  ),
];

test("no text does anything but give a neuron or a problem in the text", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.array(fc.constantFrom(...PARTS), { maxLength: 40 }).map((parts) => parts.join("")),
    fc
      .tuple(fc.constantFrom(...PRESETS.map(({ text }) => text)), fc.nat(), fc.nat(6), fc.constantFrom(...PARTS))
      .map(([text, at, cut, part]) => {
        const place = at % text.length;
        return text.slice(0, place) + part + text.slice(place + cut);
      }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const problem = problemOf(text);
      if (problem === null) return;
      expect(problem.from).toBeGreaterThanOrEqual(0);
      expect(problem.to).toBeGreaterThan(problem.from);
      expect(problem.from).toBeLessThanOrEqual(text.length);
    }),
    { seed: 20_250_101, numRuns: 1500 },
  );
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("other numbers are written into the text, with four digits", () => {
  const equations = parse("β = 0.9 # leak\nθ = −1e-3\nv′ = β·v + θ·I");
  const text = rewritten(
    equations,
    new Map([
      ["β", 0.123456],
      ["θ", -2],
    ]),
  );
  expect(text).toBe("β = 0.1235 # leak\nθ = −2\nv′ = β·v + θ·I");
  expect(structureOf(parse(text))).toBe(structureOf(equations));
  expect(structureOf(parse(text.replace("β·v", "v")))).not.toBe(structureOf(equations));
});

test("words of a text and of printed equations join to the text, and know their names", () => {
  for (const text of [LEAKY, "  ∇β += ∂v′·2 # all", "x1 = 2v²"]) {
    expect(
      wordsOf(text)
        .map((word) => word.text)
        .join(""),
    ).toBe(text);
  }
  const names = wordsOf("∇β += ∂v′·w # u").map(({ name }) => name);
  expect(names.filter((name) => name !== null)).toEqual(["β", "v", "w"]);
});
