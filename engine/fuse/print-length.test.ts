/** The length of a step's text is proportional to the number of its operations, whatever they are and wherever they are used. */
import { expect, test } from "vitest";
import { stepOf } from "../../test/support/fused.ts";
import { Program, print, type StepDefinition, type Value } from "./index.ts";
import { reachable } from "./terms.ts";

type Link = (a: Value, b: Value) => Value;

/** The first value and `length` further ones; each link in turn makes one from the last two. */
function chain(length: number, first: Value, ...links: readonly Link[]): Value[] {
  const values = [first];
  for (let i = 0; i < length; i++) {
    const link = links[i % links.length] as Link;
    values.push(link(values[i] as Value, values[Math.max(0, i - 1)] as Value));
  }
  return values;
}

/** Values by numbered names. */
const numbered = (letter: string, values: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(values.map((value, i) => [letter + i, value]));

/** A step of x and of numbered further names, which returns a list of values. */
function stepOn(
  kind: "inputs" | "states" | "parameters",
  count: number,
  values: (x: Value, p: readonly Value[]) => readonly Value[],
): StepDefinition {
  const names = Array.from({ length: count }, (_, i) => `p${i}`);
  return {
    name: "Chain",
    inputs: ["x", ...(kind === "inputs" ? names : [])],
    states: kind === "states" ? names : [],
    parameters: Object.fromEntries(kind === "parameters" ? names.map((name) => [name, "scalar"]) : []),
    // More than 31 outputs.
    partial: true,
    step(argument) {
      const given = argument as unknown as Readonly<Record<string, Value>>;
      const p = names.map((name) => given[name] as Value);
      const next = kind === "states" ? p.map(() => argument.constant(0)) : [];
      return { ...numbered("p", next), ...numbered("y", values(given.x as Value, p)) };
    },
  };
}

const LINKS: Readonly<Record<string, Link>> = {
  max: (a, b) => a.maximum(b),
  min: (a, b) => a.minimum(b),
  abs: (a) => a.abs(),
  neg: (a) => a.neg(),
  exp: (a) => a.exp(),
  where: (a, b) => a.where(b, a),
  sub: (a, b) => a.sub(b),
  mul: (a, b) => a.mul(b),
  div: (a, b) => a.div(b),
  sin: (a) => a.sin(),
  twice: (a) => a.add(a),
  detach: (a, b) => a.mul(b.detach()),
};
const all = Object.values(LINKS);
const negative: Link = (a) => a.neg();
const folded: Link = (a, b) => a.maximum(b).neg();

/** A step that returns the end of a chain of n links. */
const ending =
  (...links: readonly Link[]) =>
  (n: number) =>
    stepOn("inputs", 0, (x) => chain(n, x, ...links).slice(-1));

/** A chain whose every link adds a further name, so that the gradient of the name is that of the link. */
const adding = (kind: "inputs" | "states" | "parameters") => (n: number) =>
  stepOn(kind, n, (x, p) => [p.reduce((a, b) => a.add(b).abs(), x)]);

/** Steps with chains of n links. */
const STEPS: Readonly<Record<string, (n: number) => StepDefinition>> = {
  ...Object.fromEntries(Object.entries(LINKS).map(([name, link]) => [name, ending(link)])),
  ...Object.fromEntries(Object.entries(LINKS).map(([name, link]) => [`−${name}`, ending(link, negative)])),
  "−max in one link": ending(folded),
  mixed: ending(...all),
  "mixed, with signs": ending(...all.flatMap((link) => [link, negative])),
  "inputs added": adding("inputs"),
  "states added": adding("states"),
  "parameters added": adding("parameters"),
  "parameters alone": (n) => stepOn("parameters", 1, (x, [p]) => [x.mul(chain(n, p as Value, folded).at(-1) as Value)]),
  "parameters alone, each an output": (n) => stepOn("parameters", 1, (_, [p]) => chain(n, p as Value, folded)),
  // The first output needs all others, whose equal values are computed after it.
  "outputs in the wrong order": (n) =>
    stepOn("inputs", 0, (x) => [...chain(n, x, folded).slice(-1), ...chain(n - 1, x, folded)]),
};

/** The text of a step, and the number of its operations. */
function printed(step: StepDefinition): { text: string; operations: number } {
  const { traced } = new Program(step);
  const operations = reachable(traced.outputs.values()).filter(({ args }) => args.length > 0).length;
  return { text: print(traced), operations };
}

test.each(Object.entries(STEPS))("a chain of 300 links is twice as long as one of 150: %s", (_, step) => {
  const [short, long] = [printed(step(150)), printed(step(300))];
  expect(long.operations).toBeGreaterThanOrEqual(300);
  expect(short.text.length).toBeLessThan(200 * short.operations);
  expect(long.text.length).toBeLessThan(200 * long.operations);
  expect(long.text.length).toBeLessThan(2.2 * short.text.length);
});

test("the value of a state before the first step is as short", () => {
  const { traced } = new Program(
    stepOf({
      name: "Started",
      inputs: ["x"],
      states: ["v"],
      parameters: { p: "scalar" },
      step: ({ x, v, p }) => ({ v: v.mul(p).add(x) }),
    }),
  );
  const lengthOf = (n: number) => print(traced, "", [({ p }: { p: Value }) => chain(n, p, folded).at(-1)]).length;
  expect(lengthOf(300)).toBeLessThan(200 * 600);
  expect(lengthOf(300)).toBeLessThan(2.2 * lengthOf(150));
});
