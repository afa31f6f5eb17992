/** BindsNET's Hebbian rule on given spikes, step by step. */
import { Hebbian, Plastic } from "jarvis-snn";
import type { GoldenTensor, GoldenTensors } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lookUp } from "./neurons.ts";
import { boundsOf, linearOf, Recorder, runSteps, transposed } from "./plasticity.ts";

interface Entry extends NamedEntry {
  readonly rule: string;
  readonly options: {
    readonly nu: readonly [number, number];
    readonly wmin: number | string;
    readonly wmax: number | string;
    readonly weight_decay: number;
    readonly reduction: string;
    readonly dt: number;
    readonly tc_trace_source: number;
    readonly tc_trace_target: number;
    readonly traces_additive: boolean;
    readonly trace_scale: number;
  };
  /** [in, out]. */
  readonly w0: GoldenTensor;
  /** Spikes [T, B, N]. */
  readonly source_s: GoldenTensor;
  readonly target_s: GoldenTensor;
  readonly outputs: Readonly<Record<"source_x" | "target_x" | "w", GoldenTensor>> & GoldenTensors;
}

/** Of a sum over one sample nothing is left to reduce. */
const REDUCTIONS = { squeeze: "sum", sum: "sum", mean: "mean" } as const;

goldenSuite<{ entries: readonly Entry[] }, Entry>({
  file: "bindsnet/stdp",
  // The other rules of the file are settings of STDP.
  entries: ({ entries }) => entries.filter(({ rule }) => rule === "Hebbian"),
  reads: ["entries"],
  leftOut: { quirks: "a call that the peer refuses" },
  run({ name, options, w0, source_s, target_s, outputs }) {
    const { nu, wmin, wmax, weight_decay: weightDecay, dt, traces_additive, trace_scale } = options;
    const layer = linearOf(transposed(w0));
    const rule = new Hebbian({
      ...{ numerics: "bindsnet", dt, interaction: traces_additive ? "all" : "nearest" },
      ...{ etaPre: nu[0], etaPost: nu[1], tauPre: options.tc_trace_source, tauPost: options.tc_trace_target },
      ...{ amountPre: trace_scale, amountPost: trace_scale },
    });
    const reduction = lookUp<"sum" | "mean">("reduction", REDUCTIONS, options.reduction);
    const plastic = new Plastic(layer, rule, { ...boundsOf(wmin, wmax), reduction, weightDecay });
    const recorder = new Recorder();
    runSteps(plastic, source_s, target_s, ({ x, y }) =>
      recorder.note({ w: layer.weight.transpose(0, 1), source_x: x, target_x: y } as never),
    );
    for (const [output, expected] of Object.entries(outputs)) recorder.compare(name, output, expected);
  },
});
