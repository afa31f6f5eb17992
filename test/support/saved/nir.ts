/** Networks of graphs, with the kinds of nodes that have parameters or states. */
import { fromNIR, type NIRArray, type NIRGraph } from "jarvis-snn/nir";
import { type Cases, fed, MAPS } from "./cases.ts";

const floats = (...data: number[]): NIRArray => ({ shape: [data.length], data: Float32Array.from(data) });
const square = (...data: number[]): NIRArray => ({ ...floats(...data), shape: [2, 2] });

const leak = { tau: floats(0.004, 0.002), r: floats(4, 3), v_leak: floats(0, 0.1) };
const spike = { v_threshold: floats(0.6, 0.5), v_reset: floats(0, 0.1) };
const synapse = {
  tau_syn: floats(0.002, 0.003),
  tau_mem: leak.tau,
  w_in: floats(0.5, 1.5),
  r: leak.r,
  v_leak: leak.v_leak,
};
const affine = { type: "Affine", weight: square(0.9, 0.2, -0.1, 0.8), bias: floats(0.3, 0.2) } as const;
const lif = { type: "LIF", ...leak, ...spike } as const;

/** The nodes of two neurons, one behind the other, and further edges. */
function chain(between: NIRGraph["nodes"], edges: NIRGraph["edges"] = [], from = [2], to = [2]): NIRGraph {
  const nodes: NIRGraph["nodes"] = {
    input: { type: "Input", shape: from },
    ...between,
    output: { type: "Output", shape: to },
  };
  const names = Object.keys(nodes);
  const links = names.slice(1).map((name, i) => [names[i] as string, name] as const);
  return { type: "NIRGraph", nodes, edges: [...links, ...edges], version: "1.0.7" };
}

/** From a map to four neurons. */
const ofMaps = chain(
  {
    conv: {
      ...{ type: "Conv2d", stride: 1, padding: "same", dilation: 1, groups: 1, input_shape: [4, 4] },
      weight: { ...floats(0.5, 0.4, 0.3, 0.2, 0.1, 0, -0.1, 0.6), shape: [1, 2, 2, 2] },
      bias: floats(0.1),
    },
    pool: { type: "SumPool2d", kernel_size: [2, 2], stride: [2, 2], padding: [0, 0] },
    flatten: { type: "Flatten", start_dim: 0, end_dim: -1, input_shape: [1, 2, 2] },
    li: { type: "LI", tau: floats(0.004, 0.003, 0.002, 0.005), r: floats(1, 1, 1, 1), v_leak: floats(0, 0, 0, 0) },
  },
  [],
  MAPS,
  [4],
);

/** Neurons whose spikes come back to them through a layer with a node of its own. */
const loop = {
  ...chain({ lif, back: { type: "Linear", weight: square(0.2, -0.4, 0.3, 0.1) } }),
  edges: [
    ["input", "lif"],
    ["lif", "back"],
    ["back", "lif"],
    ["lif", "output"],
  ],
} as const;

const module = (graph: NIRGraph, shape = [2]) => fed(() => fromNIR(graph, { dt: 0.001 }), 1, shape);

export const NIR: Cases = {
  LIF: module(chain({ affine, lif })),
  IF: module(chain({ affine, if: { type: "IF", r: floats(500, 600), ...spike } })),
  "CubaLIF and LI": module(
    chain({ affine, cuba: { type: "CubaLIF", ...synapse, ...spike }, li: { type: "LI", ...leak } }),
  ),
  "Scale, I and CubaLI": module(
    chain({
      scale: { type: "Scale", scale: floats(0.5, 1.5) },
      i: { type: "I", r: floats(500, 300) },
      cuba: { type: "CubaLI", ...synapse },
    }),
  ),
  "Threshold and Delay": module(
    chain({
      threshold: { type: "Threshold", threshold: floats(0.4, 0.6) },
      delay: { type: "Delay", delay: floats(0.001, 0.002) },
      affine,
    }),
  ),
  "a recurrent edge": module(chain({ affine, lif }, [["lif", "affine"]])),
  "neurons that are fed back": module(loop),
  maps: module(ofMaps, MAPS),
};
