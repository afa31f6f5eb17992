/** Any graph is the same after it has been written and read. */
import fc from "fast-check";
import { readNIR, writeNIR } from "jarvis-snn/nir";
import { expect, test } from "vitest";
import { graphs, PRIMITIVES } from "../support/nir-graphs.ts";
import { SEED } from "./support.ts";

test("nir: a graph that is written and read is the same", async () => {
  const property = fc.asyncProperty(graphs, async (graph) => {
    expect(await readNIR(await writeNIR(graph))).toEqual(graph);
  });
  await fc.assert(property, { seed: SEED, numRuns: 100 });
});

for (const [name, graph] of Object.entries(PRIMITIVES)) {
  test(`nir: ${name} is the same after it has been written and read`, async () => {
    expect(await readNIR(await writeNIR(graph))).toStrictEqual(graph);
  });
}
