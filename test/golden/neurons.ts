/** The comparison of a layer of neurons with what a peer's neurons gave: outputs, states, and the gradients of a weighted sum of them. */
import { add, mul, sum, type Tensor } from "jarvis-snn";
import { expect } from "vitest";
import { expectClose, expectGradients, expectSpikes, present, type Tensors, withinLargest } from "../support/close.ts";
import { deviationOf, type Kind, observe } from "../support/conformance.ts";
import { type GoldenTensor, type GoldenTensors, mapValues, numbersOf, toTensor } from "../support/golden.ts";

/** An entry of a file of neurons. */
export interface NeuronGolden {
  readonly name: string;
  readonly input: GoldenTensor;
  /** After each step, [T, B, N]. */
  readonly outputs: GoldenTensors;
  /** Weights of the outputs in the loss. */
  readonly upstream?: GoldenTensors;
  readonly loss?: GoldenTensor;
  readonly grads?: Readonly<Record<string, GoldenTensor | null>>;
}

/** Outputs by the golden's names, and the leaves that gradients are compared of, by its names too. */
export interface NeuronRun {
  readonly outputs: Tensors;
  readonly leaves: Tensors;
}

export interface NeuronComparison {
  /** Outputs that are spikes and must be equal. */
  readonly spikes?: readonly string[];
  /** How far other outputs may be off, as a part of the largest value of each. */
  readonly states?: number;
  /** The same for gradients. */
  readonly gradients?: number;
  /** Leaves without a path to the loss in the peer, which may have gradients of zeros here. */
  readonly unconnected?: readonly string[];
  /** Compares the run with another whose input is off by one unit in the last place too, for the conformance matrix. */
  readonly isSensitive?: boolean;
}

/** The element of a table by a name of the peer; `what` says in the error message what the table holds. */
export function lookUp<T>(what: string, table: Readonly<Record<string, T>>, name: string): T {
  if (!Object.hasOwn(table, name)) throw new Error(`no ${what} for ${JSON.stringify(name)}`);
  return table[name] as T;
}

/** Names of spikes among the peers' outputs. */
const SPIKES = ["spk", "spikes", "s", "z"];
/** Tolerances of the conformance of most neurons; Izhikevich, AdEx and conductances have {@link SENSITIVE}. */
const USUAL = { states: 1e-5, gradients: 2e-4, unconnected: [] as readonly string[], isSensitive: false };
/** For neurons that amplify each rounding. */
export const SENSITIVE = { states: 5e-4, gradients: 5e-4, isSensitive: true };

/**
 * Runs neurons on the input of an entry and compares; call it in a tape. `run` makes the layer and its leaves anew, from an input that
 * wants a gradient and is among the leaves as `input`.
 */
export function compareNeurons(
  golden: NeuronGolden,
  run: (input: Tensor) => NeuronRun,
  comparison: NeuronComparison = {},
): void {
  const { name, input, outputs: expected, upstream = {}, loss, grads } = golden;
  const { spikes = SPIKES, states, gradients, unconnected, isSensitive } = { ...USUAL, ...comparison };
  const isSpikes = (output: string) => spikes.includes(output);
  const { outputs, leaves } = run(toTensor(input, true));
  for (const [output, values] of Object.entries(expected)) {
    const got = present(outputs, output);
    if (isSpikes(output)) expectSpikes(`${name}: ${output}`, got, values);
    else expectClose(`${name}: ${output}`, got, values, withinLargest(values, states), "states");
  }
  const total = totalOf(outputs, upstream);
  if (total !== null) {
    // Each output may be off by so much.
    const magnitudes = Object.entries(upstream).map(([output, w]) => magnitudeOf(w, expected[output]));
    const allowed = { absolute: states * magnitudes.reduce((a, b) => a + b, 0), relative: 0 };
    if (loss !== undefined) expectClose(`${name}: loss`, total, loss, allowed);
    if (grads !== undefined) {
      total.backward();
      const connected = Object.entries(grads).filter(([leaf, grad]) => grad !== null || !unconnected.includes(leaf));
      for (const leaf of unconnected) {
        if (grads[leaf] !== null) continue;
        const values = leaves[leaf]?.grad?.toFloat32Array() ?? new Float32Array();
        if (values.some((x) => x !== 0)) expect.fail(`${name}: gradient of ${leaf}: got ${values}, expected zeros`);
      }
      expectGradients(name, leaves, Object.fromEntries(connected), gradients);
    }
  }
  if (!isSensitive) return;
  const other = run(toTensor({ ...input, data: numbersOf(input).map(nextFloat) }, true));
  if (total !== null && grads !== undefined) totalOf(other.outputs, upstream)?.backward();
  const compare = (kind: Kind, a: Tensor, b: Tensor) =>
    observe({ kind, sensitivity: deviationOf(a.toFloat32Array(), b.toFloat32Array()) });
  for (const output of Object.keys(expected)) {
    compare(isSpikes(output) ? "spikes" : "states", present(other.outputs, output), present(outputs, output));
  }
  for (const leaf of Object.keys(grads ?? {})) {
    const [a, b] = [other.leaves[leaf]?.grad, leaves[leaf]?.grad];
    if (a && b) compare("gradients", a, b);
  }
}

/** Σ upstream·output, or null where nothing is weighed. */
function totalOf(outputs: Tensors, upstream: GoldenTensors): Tensor | null {
  const terms = Object.values(mapValues(upstream, (w, output) => sum(mul(present(outputs, output), toTensor(w)))));
  return terms.length === 0 ? null : terms.reduce((a, b) => add(a, b));
}

/** The float32 number next to x, further from 0; 0 stays. */
function nextFloat(x: number): number {
  const bits = new Int32Array(Float32Array.of(x).buffer);
  if (x !== 0 && Number.isFinite(x)) bits[0] = (bits[0] as number) + 1;
  return new Float32Array(bits.buffer)[0] as number;
}

function magnitudeOf(weights: GoldenTensor, values: GoldenTensor | undefined): number {
  const all = values === undefined ? [] : numbersOf(values);
  return numbersOf(weights).reduce((total, w, i) => total + Math.abs(w * (all[i] ?? 1)), 0);
}
