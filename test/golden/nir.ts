/** Graphs of golden files: nodes as the Python package reads them, arrays as { shape, data }. */
import type { NIRGraph, NIRNode } from "jarvis-snn/nir";
import { type GoldenTensor, numbersOf } from "../support/golden.ts";

interface JsonNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface JsonGraph {
  readonly nodes: Readonly<Record<string, JsonNode>>;
  readonly edges: readonly (readonly [string, string])[];
}

/** Types of inputs and outputs, by name. */
interface Ends {
  readonly input_type?: { readonly input: readonly number[] };
}

const isArray = (value: unknown): value is GoldenTensor =>
  typeof value === "object" && value !== null && "data" in value && "shape" in value;

/** The graph as `readNIR` gives it. */
export function graphOf({ nodes, edges }: JsonGraph): NIRGraph {
  const read = Object.entries(nodes).map(([name, node]) => [name, nodeOf(node)] as const);
  return { type: "NIRGraph", nodes: Object.fromEntries(read), edges };
}

function nodeOf(node: JsonNode): NIRNode {
  const { type } = node;
  if (type === "NIRGraph") return graphOf(node as unknown as JsonGraph);
  const shape = (node as Ends).input_type?.input;
  if (type === "Input" || type === "Output") return { type, shape } as NIRNode;
  const { input_type: _, output_type: __, ...fields } = node;
  const arrays = Object.entries(fields).map(([field, value]) => {
    if (!isArray(value)) return [field, value];
    return [field, { shape: value.shape, data: Float32Array.from(numbersOf(value)) }];
  });
  return { ...Object.fromEntries(arrays), ...(type === "Flatten" && { input_shape: shape }) } as NIRNode;
}
