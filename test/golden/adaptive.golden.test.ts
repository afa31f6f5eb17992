/** Norse's LIF without synapse, IAF, LSNN, and exponential LIF without and with adaptation, in units of its threshold. */
import { AdaptiveLIF, AdEx, add, ExponentialIF, IF, LIF, mul, sub, type Tensor, zeros } from "jarvis-snn";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, lookUp, SENSITIVE } from "./neurons.ts";
import { decayAt, kindOf, type NorseCell, type NorseEntry, numberAt, runCell, surrogateAt } from "./norse.ts";

/** By the beginning of an entry's name. */
const CELLS: Readonly<Record<string, (entry: NorseEntry) => NorseCell>> = {
  lif_box: (entry) => ({
    neuron: new LIF({
      numerics: "norse",
      beta: decayAt(entry, "tau_mem_inv"),
      rest: numberAt(entry, "v_leak"),
      threshold: numberAt(entry, "v_th"),
      ...(entry.params.reset_method === "reset_subtract"
        ? { reset: "subtract" }
        : { reset: "zero", resetValue: numberAt(entry, "v_reset") }),
      surrogate: surrogateAt(entry),
    }),
    state: (given) => ({ v: given("v"), refractory: zeros(given("v").shape) }),
    outputs: (record) => ({ z: record("spikes"), v: record("v") }),
  }),
  iaf: (entry) => ({
    neuron: new IF({
      numerics: "norse",
      threshold: numberAt(entry, "v_th"),
      resetValue: numberAt(entry, "v_reset"),
      surrogate: surrogateAt(entry),
    }),
    state: (given) => ({ v: given("v") }),
    outputs: (record) => ({ z: record("spikes"), v: record("v") }),
  }),
  lsnn: (entry) => lsnnOf(entry, false),
  ada_lif: (entry) => lsnnOf(entry, true),
  lif_adex(entry) {
    const at = (name: string): number => numberAt(entry, name);
    return {
      neuron: new AdEx({
        numerics: "norse",
        alpha: decayAt(entry, "tau_syn_inv"),
        dt: entry.dt * at("tau_mem_inv"),
        ...{ EL: at("v_leak"), VT: at("v_th"), threshold: at("v_th"), resetValue: at("v_reset") },
        ...{ deltaT: at("delta_T"), a: at("adaptation_current"), b: at("adaptation_spike") },
        tauW: at("tau_mem_inv") / at("tau_ada_inv"),
        surrogate: surrogateAt(entry),
      }),
      state: (given) => ({ i: given("i"), v: given("v"), w: given("a") }),
      outputs: (record) => ({ z: record("spikes"), i: record("i"), v: record("v"), a: record("w") }),
    };
  },
  lif_ex: (entry) => ({
    neuron: new ExponentialIF({
      numerics: "norse",
      alpha: decayAt(entry, "tau_syn_inv"),
      tau: 1 / (entry.dt * numberAt(entry, "tau_mem_inv")),
      sharpness: numberAt(entry, "delta_T"),
      rest: numberAt(entry, "v_leak"),
      rheobase: numberAt(entry, "v_th"),
      threshold: numberAt(entry, "v_th"),
      resetValue: numberAt(entry, "v_reset"),
      surrogate: surrogateAt(entry),
    }),
    state: (given) => ({ i: given("i"), v: given("v") }),
    outputs: (record) => ({ z: record("spikes"), i: record("i"), v: record("v") }),
  }),
};

/** The recurrent LSNN cell cuts gradients of spikes towards its states; the others do not. */
const isCut = ({ name, weights }: NorseEntry): boolean => name.startsWith("lsnn") && weights.recurrent !== undefined;

/** LSNN cells, whose b is θ + κ·a, and `ada_lif_step`, whose b is κ·a and counts as a current. */
function lsnnOf(entry: NorseEntry, isCurrent: boolean): NorseCell {
  const threshold = numberAt(entry, "v_th");
  const kappa = numberAt(entry, "beta");
  const level = isCurrent ? 0 : threshold;
  const isDetached = isCut(entry);
  const resetValue = numberAt(entry, "v_reset");
  // Spikes of `ada_lif_step` subtract v_th − v_reset: v is counted from v_reset.
  const zero = isCurrent ? resetValue : 0;
  return {
    neuron: new AdaptiveLIF({
      numerics: "norse",
      alpha: decayAt(entry, "tau_syn_inv"),
      beta: decayAt(entry, "tau_mem_inv"),
      rho: decayAt(entry, "tau_adapt_inv"),
      ...{ threshold: threshold - zero, kappa, rest: numberAt(entry, "v_leak") - zero },
      detachReset: isDetached,
      detachAdaptation: isDetached,
      ...(isCurrent
        ? { adaptation: "current", decayFirst: false, reset: "subtract" }
        : { resetValue: numberAt(entry, "v_reset") }),
      surrogate: surrogateAt(entry),
    }),
    state: (given) => ({ i: given("i"), v: sub(given("v"), zero), a: mul(sub(given("b"), level), 1 / kappa) }),
    outputs: (record) => ({
      z: record("spikes"),
      i: record("i"),
      v: add(record("v"), zero),
      b: record("a").mul(kappa).add(level),
    }),
  };
}

const kind = kindOf(Object.keys(CELLS));

goldenSuite<{ entries: readonly NorseEntry[] }, NorseEntry>({
  file: "norse/adaptive",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  kind,
  leftOut: {},
  run(entry) {
    const { b, ...others } = entry.upstream ?? {};
    // Where no gradient enters b, the loss of the file leaves it out.
    const weighed = isCut(entry) ? { ...entry, upstream: others } : entry;
    const run = (input: Tensor) => runCell(lookUp("cell", CELLS, kind(entry))(entry), entry, input);
    compareNeurons(weighed, run, kind(entry) === "lif_adex" ? SENSITIVE : {});
  },
});
