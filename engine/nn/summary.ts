/** A network as a table of its modules, with output shapes and numbers of parameters. */
import { show } from "../arguments.ts";
import { noGrad } from "../core/tape.ts";
import { Tensor } from "../core/tensor.ts";
import { zeros } from "../create.ts";
import { defaultGenerator } from "../generator.ts";
import { checkShape, formatShape, type Shape } from "../shape.ts";
import { locate, type Module, moduleOf } from "./module.ts";
import { type Tap, tapped } from "./tapped.ts";
import { modulesOf, parameterCount } from "./tree.ts";

/**
 * A table of the modules in a network: name and class, shape of the output, own parameters.
 *
 *   layer           output       parameters
 *   Sequential      [4, 10]               0
 *   0: Linear       [4, 32]            2080
 *   …
 *
 * Runs the network once in evaluation mode, on zeros of the given shape, which includes batch and time. The state of
 * the random generator is restored. A module's output is that of its last call of `forward`; "–" if it was not called.
 *
 * @throws RangeError or TypeError for an invalid shape, TypeError for anything but a module, and errors of a network that does not accept the shape;
 *   the message of such an error begins with the path and the class of the module: `at fc1 (Linear): `.
 *
 * @example
 * ```ts
 * import { LIF, Linear, Sequential, summary } from "jarvis-snn";
 *
 * console.log(summary(new Sequential(new Linear(784, 10), new LIF()), [25, 1, 784]));
 * // layer       output       parameters
 * // Sequential  [25, 1, 10]           0
 * // 0: Linear   [25, 1, 10]        7850
 * // 1: LIF      [25, 1, 10]           0
 * // total                          7850
 * ```
 */
export function summary(module: Module, inputShape: Shape): string {
  moduleOf("summary", module);
  const shape = checkShape("summary", inputShape);
  const outputs = new Map<Module, string>();
  const random = defaultGenerator.getState();
  const calls: Tap["calls"] = (m, path) => (call) => {
    if (call.method !== "forward") return call.run();
    try {
      const z = call.run();
      outputs.set(m, z instanceof Tensor ? formatShape(z.sizes) : show(z));
      return z;
    } catch (error) {
      throw locate(error, path, m);
    }
  };
  const run = (): Tensor => module.evaluating(() => module.forward(zeros(shape)));
  try {
    noGrad(() => void tapped(module, { calls }, run));
  } finally {
    defaultGenerator.setState(random);
  }
  let total = 0;
  const rows = modulesOf(module).map((part) => {
    const { name, module: m } = part;
    const kind = m.constructor.name;
    const count = parameterCount(part);
    total += count;
    return [name === "" ? kind : `${name}: ${kind}`, outputs.get(m) ?? "–", `${count}`];
  });
  return table([["layer", "output", "parameters"], ...rows, ["total", "", `${total}`]]);
}

/** Columns side by side; the last one, of numbers, is right-aligned. */
function table(rows: readonly string[][]): string {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const lines = rows.map((row) =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join("  "),
  );
  return lines.join("\n");
}
