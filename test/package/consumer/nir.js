/** Writes a NIR file and reads it, where the peer h5wasm is there. */
import { readNIR, writeNIR } from "jarvis-snn/nir";

export async function roundTrip() {
  const nodes = {
    input: { type: "Input", shape: [2] },
    fc: { type: "Linear", weight: { shape: [1, 2], data: Float32Array.of(1.5, -2) } },
  };
  const bytes = await writeNIR({ type: "NIRGraph", nodes, edges: [["input", "fc"]] });
  const { version, edges, nodes: read } = await readNIR(bytes);
  const refused = await readNIR(bytes.subarray(0, 1000)).catch(({ message }) => message);
  return { version, edges, weight: [...read.fc.weight.data], refused };
}
