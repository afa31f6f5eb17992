/** Norse's adaptive exponential cells, fed forward and recurrent: the AdEx neuron in units of its threshold, behind a synapse. */
import { AdEx, Linear, Recurrent, surrogate, type Tensor } from "jarvis-snn";
import { type GoldenTensor, type GoldenTensors, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, type NeuronGolden, type NeuronRun, SENSITIVE } from "./neurons.ts";

interface Entry extends NeuronGolden {
  readonly dt: number;
  readonly params: Readonly<Record<string, number | string | GoldenTensor>>;
  readonly init_state: GoldenTensors;
  readonly weights: GoldenTensors;
}

function run(entry: Entry, input: Tensor): NeuronRun {
  const { dt, params, init_state, weights } = entry;
  const at = (name: string): number => {
    const value = params[name];
    return typeof value === "object" ? (numbersOf(value)[0] as number) : Number(value);
  };
  if (params.method !== "super") throw new Error(`expected the method super, got ${params.method}`);
  for (const [name, values] of Object.entries(init_state)) {
    const start = name === "v" ? at("v_leak") : 0;
    if (numbersOf(values).some((x) => x !== start)) throw new Error(`expected ${name} to start at ${start}`);
  }
  const alpha = 1 - dt * at("tau_syn_inv");
  const step = dt * at("tau_mem_inv");
  const neuron = new AdEx({
    numerics: "norse",
    ...{ alpha, dt: step, EL: at("v_leak"), VT: at("v_th"), threshold: at("v_th"), resetValue: at("v_reset") },
    ...{ deltaT: at("delta_T"), a: at("adaptation_current"), b: at("adaptation_spike") },
    tauW: step / (dt * at("tau_ada_inv")),
    surrogate: surrogate.superSpike({ alpha: at("alpha") }),
  });
  const outputsOf = (record: { spikes: Tensor; v: Tensor; w: Tensor; i: Tensor }) => ({
    z: record.spikes,
    v: record.v,
    a: record.w,
    i: record.i,
  });
  if (weights.recurrent === undefined) return { outputs: outputsOf(neuron.unroll(input)), leaves: { input } };
  const into = toTensor(weights.input as GoldenTensor);
  const [features, inputs] = into.shape as [number, number];
  const linear = new Linear(inputs, features, { bias: false });
  const layer = new Recurrent(neuron, { features, bias: false });
  const among = (layer.recurrent as Linear).weight;
  linear.weight.copyFrom(into);
  among.copyFrom(toTensor(weights.recurrent as GoldenTensor));
  const outputs = outputsOf(layer.unroll(linear.forward(input)));
  return { outputs, leaves: { input: linear.weight, recurrent: among } };
}

const elsewhere = "tested in adaptive.golden.test.ts";

goldenSuite<{ entries: readonly Entry[] }, Entry>({
  file: "norse/adaptive",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {
    lif_box_feed_forward_step: elsewhere,
    lif_box_subtract: elsewhere,
    iaf_feed_forward_step: elsewhere,
    lsnn_step: elsewhere,
    lsnn_feed_forward_step: elsewhere,
    ada_lif_step: elsewhere,
    lif_ex_feed_forward_step: elsewhere,
  },
  run: (entry) => compareNeurons(entry, (input) => run(entry, input), SENSITIVE),
});
