/** Why the values of a run are not finite from a step on: the operation that gives the first such value. */
import { full, noGrad, softplus, type Tensor, type Value } from "jarvis-snn";
import { type Equations, type Functions, nameOf, valuesOf, written } from "./language.ts";
import { lineOf, type Node, type Problem, partsOf } from "./reader.ts";

/** A sentence about the operation. */
export interface Cause extends Problem {
  /** Whether the value has become too large; else its operation has no value there, such as 0/0. */
  readonly grows: boolean;
}

/** Functions without a finite value at 0 or below. */
const ABOVE_ZERO = ["log", "ln", "log1p", "√", "sqrt", "rsqrt"];

/**
 * The cause of a step that is computed again, on tensors of one value, which have the bits of the compiled step. `given` holds I and the
 * states before the step. Null where the membrane and all states of the step are finite.
 */
export function causeOf(equations: Equations, given: ReadonlyMap<string, number>, step: number): Cause | null {
  const { lines, parameters, states, membrane, isStrict, text } = equations;
  const seen = new Map<Node, Value | number>();
  const constant = (x: number) => full([1], x) as Value;
  const functions: Functions = {
    constant,
    select: (condition, a, b) => {
      const chosen = item(condition) === 0 ? b : a;
      return typeof chosen === "number" ? constant(chosen) : chosen;
    },
    softplus: (x) => softplus(x as Tensor),
    spike: (x) => (isStrict ? x.gt(0) : x.ge(0)),
    seen,
  };
  const numberAt = (node: Node): number => item(seen.get(node) as Value | number);
  /** The operands of the value. */
  const sourcesOf = (node: Node): readonly Node[] => {
    if (node.kind === "choice") return [numberAt(node.condition) === 0 ? node.b : node.a];
    if (node.kind !== "name") return partsOf(node);
    return lines.filter((line) => line.kind !== "first" && nameOf(line) === node.name).map(({ value }) => value);
  };
  return noGrad(() => {
    const names = [...given, ...[...parameters].map(([name, { value }]) => [name, value] as const)];
    valuesOf(equations, new Map(names.map(([name, x]) => [name, constant(x)])), functions);
    const isLost = (node: Node): boolean => !Number.isFinite(numberAt(node));
    const shown = [membrane, ...states.map((name) => `${name}′`)];
    let node = lines.find((line) => shown.includes(nameOf(line)) && line.kind !== "first" && isLost(line.value))?.value;
    if (node === undefined) return null;
    for (let next: Node | undefined = node; next !== undefined; next = sourcesOf(node).find(isLost)) node = next;
    const { from, to } = node.at;
    const place = `line ${lineOf(text, node.at)}`;
    const wrong = undefinedOf(node, numberAt);
    if (wrong !== null)
      return { message: `${wrong[0]} in ${place} at step ${step}: ${wrong[1]}`, from, to, grows: false };
    const message = `${place} grows beyond 3.4·10³⁸ at step ${step}: bound what grows, as in min(v, 3)`;
    return { message, from, to, grows: true };
  });
}

const item = (x: Value | number): number => (typeof x === "number" ? x : (x as Tensor).item());

/** An operation that has no finite value for its numbers, and what to do about it. */
function undefinedOf(
  node: Node,
  numberAt: (node: Node) => number,
): readonly [operation: string, remedy: string] | null {
  if (node.kind === "binary") {
    const [a, b] = [numberAt(node.a), numberAt(node.b)];
    if (node.sign === "/" && b === 0) return [`${written(a)}/0`, "keep the divisor away from 0, as in 1/max(v, 0.01)"];
    if (node.sign === "^" && a <= 0)
      return [`(${written(a)})^${written(b)}`, "keep its base above 0, as in max(v, 0.01)"];
  }
  if (node.kind !== "call" || !ABOVE_ZERO.includes(node.name)) return null;
  const [a] = node.args.map(numberAt) as [number];
  return a > 0 ? null : [`${node.name}(${written(a)})`, "keep its argument above 0, as in max(v, 0.01)"];
}
