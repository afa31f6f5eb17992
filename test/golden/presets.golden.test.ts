/**
 * Neurons of snnTorch, Norse, SpikingJelly and BindsNET with their defaults and the presets of this package, both with no arguments but
 * those that the peer requires, and shorter runs with arguments that change the state at the start; each from its own start.
 */
import * as jarvis from "jarvis-snn";
import {
  AdaptiveLIF,
  AdEx,
  Alpha,
  add,
  ConductanceLIF,
  ExponentialIF,
  IF,
  Izhikevich,
  KLIF,
  Lapicque,
  LeakyIntegrator,
  LIF,
  type Module,
  mul,
  ParametricLIF,
  QuadraticIF,
  Synaptic,
  SynapticIntegrator,
  type Tensor,
  TsodyksMarkram,
} from "jarvis-snn";
import { expect, test } from "vitest";
import { present, type Tensors } from "../support/close.ts";
import { type GoldenTensors, mapValues } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons, lookUp, type NeuronGolden } from "./neurons.ts";

/** Other names than those of `unroll`, or functions of them, by the peer's names of outputs. */
type Names = Readonly<Record<string, string | ((record: (name: string) => Tensor) => Tensor)>>;

/** A layer and the peer's names of its outputs, by the entry's name: the class and the arguments that it requires. */
type Presets = Readonly<Record<string, () => readonly [layer: object, names?: Names]>>;

const snntorch = { numerics: "snntorch" } as const;
const norse = { numerics: "norse" } as const;
const spikingjelly = { numerics: "spikingjelly" } as const;
const bindsnet = { numerics: "bindsnet" } as const;

const PRESETS: Readonly<Record<string, Presets>> = {
  snntorch: {
    "Leaky, beta 0.9": () => [new LIF({ ...snntorch, beta: 0.9 })],
    "Leaky, beta 1.0": () => [new IF(snntorch)],
    "Synaptic, alpha 0.7, beta 0.8": () => [new Synaptic({ ...snntorch, alpha: 0.7, beta: 0.8 })],
    "Lapicque, beta 0.7": () => [new Lapicque({ ...snntorch, beta: 0.7 })],
    "Alpha, alpha 0.9, beta 0.8": () => [new Alpha({ ...snntorch, alpha: 0.9, beta: 0.8 })],
  },
  norse: {
    LIFBoxCell: () => [new LIF(norse)],
    LIFCell: () => [new Synaptic(norse)],
    LICell: () => [new SynapticIntegrator(norse)],
    LIBoxCell: () => [new LeakyIntegrator(norse), { v: "membrane" }],
    IAFCell: () => [new IF(norse)],
    // b is θ + κ·a.
    LSNNCell: () => [new AdaptiveLIF(norse), { b: (of) => add(mul(of("a"), 1.8), 1) }],
    LIFAdExCell: () => [new AdEx(norse), { a: "w" }],
    "IzhikevichCell, spiking_method tonic_spiking": () => [
      new Izhikevich({ ...norse, a: 0.02, b: 0.2, c: -65, d: 6, v0: -70 }),
    ],
    LIFExCell: () => [new ExponentialIF(norse)],
    coba_lif_feed_forward_step: () => [new ConductanceLIF(norse)],
    stp_step: () => [new TsodyksMarkram(norse)],
    "LIFBoxCell, v_leak 0.25, v_reset -0.125": () => [new LIF({ ...norse, rest: 0.25, resetValue: -0.125 })],
    "LIFCell, v_leak 0.25, v_reset -0.125": () => [new Synaptic({ ...norse, rest: 0.25, resetValue: -0.125 })],
    "IAFCell, v_reset 0.25": () => [new IF({ ...norse, resetValue: 0.25 })],
  },
  spikingjelly: {
    LIFNode: () => [new LIF(spikingjelly)],
    IFNode: () => [new IF(spikingjelly)],
    ParametricLIFNode: () => [new ParametricLIF(spikingjelly)],
    QIFNode: () => [new QuadraticIF(spikingjelly)],
    EIFNode: () => [new ExponentialIF(spikingjelly)],
    KLIFNode: () => [new KLIF(spikingjelly)],
    IzhikevichNode: () => [new Izhikevich(spikingjelly), { w: "u" }],
    CUBALIFNode: () => [new Synaptic(spikingjelly)],
    NonSpikingLIFNode: () => [new LeakyIntegrator(spikingjelly), { v: "membrane" }],
    "LIFNode, v_reset 0.25": () => [new LIF({ ...spikingjelly, rest: 0.25, resetValue: 0.25 })],
    "LIFNode, v_reset None": () => [new LIF({ ...spikingjelly, reset: "subtract" })],
    "IFNode, v_reset 0.25": () => [new IF({ ...spikingjelly, resetValue: 0.25 })],
    "ParametricLIFNode, v_reset 0.25": () => [new ParametricLIF({ ...spikingjelly, rest: 0.25, resetValue: 0.25 })],
    "QIFNode, v_rest 0.25, v_reset -0.25": () => [new QuadraticIF({ ...spikingjelly, rest: 0.25, resetValue: -0.25 })],
    "QIFNode, v_rest 0.25, v_reset None": () => [new QuadraticIF({ ...spikingjelly, rest: 0.25, reset: "subtract" })],
    "EIFNode, v_rest 0.25, v_reset -0.25": () => [
      new ExponentialIF({ ...spikingjelly, rest: 0.25, resetValue: -0.25 }),
    ],
    "KLIFNode, v_reset 0.25": () => [new KLIF({ ...spikingjelly, rest: 0.25, resetValue: 0.25 })],
    "IzhikevichNode, v_reset 0.25, a 0.5, b 0.125": () => [
      new Izhikevich({ ...spikingjelly, c: 0.25, b: 0.5, d: 0.125 }),
      { w: "u" },
    ],
    "CUBALIFNode, v_reset 0.25": () => [new Synaptic({ ...spikingjelly, resetValue: 0.25 })],
  },
  bindsnet: {
    IFNodes: () => [new IF(bindsnet)],
    LIFNodes: () => [new LIF(bindsnet)],
    CurrentLIFNodes: () => [new Synaptic(bindsnet)],
    // theta is κ·a, of all samples of a batch, here one.
    AdaptiveLIFNodes: () => [new AdaptiveLIF(bindsnet), { theta: (of) => mul(of("a").squeeze(1), 0.05) }],
  },
};

/** The peers' names where they differ from those of `unroll`. */
const NAMES: Names = {
  ...{ spk: "spikes", z: "spikes", s: "spikes", mem: "v", out: "membrane" },
  ...{ syn: "i", c: "i", syn_exc: "exc", syn_inh: "inh", g_e: "gE", g_i: "gI" },
};

interface Layer extends Module {
  unroll(current: Tensor): Tensors;
}

for (const [peer, presets] of Object.entries(PRESETS)) {
  goldenSuite<{ upstream: GoldenTensors; entries: readonly NeuronGolden[] }, NeuronGolden>({
    file: `${peer}/presets`,
    entries: ({ entries }) => entries,
    reads: ["upstream", "entries"],
    leftOut: {},
    run(entry, { upstream }) {
      const { input, outputs } = entry;
      const weights = Object.entries(upstream)
        .filter(([name]) => name in outputs)
        .map(([name, { data }]) => [name, { ...input, data: data.slice(0, input.data.length) }]);
      compareNeurons(
        { ...entry, upstream: Object.fromEntries(weights) },
        (current) => {
          const [layer, own = {}] = lookUp("preset", presets, entry.name)();
          const names = { ...NAMES, ...own };
          const record = (layer as Layer).unroll(current);
          const of = (name: string): Tensor => present(record, name);
          const got = mapValues(outputs, (_, name) => {
            const output = names[name] ?? name;
            return typeof output === "string" ? of(output) : output(of);
          });
          return {
            outputs: got,
            leaves: { input: current, ...Object.fromEntries((layer as Layer).namedParameters()) },
          };
        },
        { gradients: 1e-4 },
      );
    },
  });
}

test("every preset is compared, but those of NIR, which has no defaults", () => {
  const neurons = Object.values(jarvis).filter((value) => typeof Object(value).prototype?.unroll === "function");
  const known = neurons.flatMap((Class) => {
    try {
      new (Class as new (options: object) => object)({ numerics: "?" });
    } catch (error) {
      const [, name, presets = ""] = /^(\w+): expected numerics (.*), got/.exec((error as Error).message) ?? [];
      return [...presets.matchAll(/"(\w+)"/g)].map(([, preset]) => `${preset} ${name}`);
    }
    return [];
  });
  const compared = Object.entries(PRESETS).flatMap(([peer, presets]) =>
    Object.values(presets).map((make) => `${peer} ${make()[0].constructor.name}`),
  );
  expect([...new Set(compared)].sort()).toEqual([...new Set(known)].filter((name) => !name.startsWith("nir ")).sort());
  expect(new Set(compared).size).toBe(29);
});
