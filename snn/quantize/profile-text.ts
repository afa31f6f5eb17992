/** A profile as a text table. */
import { objectOf, wrongType } from "../../engine/arguments.ts";
import type { Cost, Profile } from "./cost.ts";

/**
 * Formats a profile as a table with a line for each layer and the total, per sample.
 *
 *   layer       spikes  sparsity  dense   MACs   ACs  zeros  bytes    nJ
 *   0: Linear        –         –   1568  294.0   0.0   0.00   3140  1.35
 *   1: LIF        12.5     0.875      –      –     –      –      0     –
 *   …
 *
 * Columns: spikes, activation sparsity, dense and effective operations, connection sparsity, footprint and estimated energy in nanojoules; "–" for
 * values that a layer does not have.
 *
 * @throws TypeError for anything but a profile.
 *
 * @example
 * ```ts
 * import { IF, Linear, ones, Sequential } from "jarvis-snn";
 * import { profile, profileText } from "jarvis-snn/quantize";
 *
 * const model = new Sequential(new Linear(4, 8), new IF({ threshold: 100 }));
 * console.log(profileText(profile(model, ones([10, 1, 4]))));
 * // layer      spikes  sparsity  dense  MACs    ACs  zeros  bytes    nJ
 * // 0: Linear       –         –  320.0   0.0  320.0  0.000    160  0.29
 * // 1: IF         0.0     1.000      –     –      –      –      8     –
 * // total         0.0     1.000  320.0   0.0  320.0  0.000    168  0.29
 * ```
 */
export function profileText(profile: Profile): string {
  const { layers, order, total } = objectOf("profileText", "a profile", profile) as unknown as Profile;
  if (!Array.isArray(order) || typeof layers !== "object" || typeof total !== "object") {
    throw wrongType("profileText", "a profile", profile);
  }
  const rows = (order as readonly string[]).map((name) => {
    const cost = layers[name];
    if (cost === undefined) throw wrongType("profileText", `the layer ${name} in a profile`, cost);
    return [name === cost.kind ? name : `${name}: ${cost.kind}`, ...cellsOf(cost)];
  });
  const lines = [HEAD, ...rows, ["total", ...cellsOf(total)]];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => (line[column] as string).length)));
  const cell = (text: string, column: number): string => {
    const width = widths[column] as number;
    return column === 0 ? text.padEnd(width) : text.padStart(width);
  };
  return lines.map((line) => line.map(cell).join("  ")).join("\n");
}

const HEAD = ["layer", "spikes", "sparsity", "dense", "MACs", "ACs", "zeros", "bytes", "nJ"];
const NONE = "–";

function cellsOf(cost: Cost): string[] {
  const { spikes, activationSparsity, synapticOperations, connectionSparsity, footprint, energy } = cost;
  const { dense, effectiveMACs, effectiveACs } = synapticOperations;
  const operations = dense === 0 ? [NONE, NONE, NONE] : [dense, effectiveMACs, effectiveACs].map((n) => n.toFixed(1));
  return [
    spikes === 0 && (activationSparsity === null || cost.neuronUpdates === 0) ? NONE : spikes.toFixed(1),
    activationSparsity === null ? NONE : activationSparsity.toFixed(3),
    ...operations,
    connectionSparsity === null ? NONE : connectionSparsity.toFixed(3),
    `${footprint}`,
    energy.total === 0 ? NONE : (1e9 * energy.total).toFixed(2),
  ];
}
