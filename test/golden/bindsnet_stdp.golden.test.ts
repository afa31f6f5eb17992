/** BindsNET's PostPre, WeightDependentPostPre and Hebbian on spikes that are given, step by step. */
import { Hebbian, Plastic, type Rule, STDP, type Tensor } from "jarvis-snn";
import { type GoldenTensor, type GoldenTensors, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lookUp } from "./neurons.ts";
import { boundsOf, linearOf, Recorder, runSteps, transposed } from "./plasticity.ts";

interface Entry extends NamedEntry {
  readonly rule: string;
  readonly options: {
    /** Of spikes before and behind; null where each neuron behind has its own. */
    readonly nu: readonly [number, number] | null;
    readonly nu_per_post: readonly [GoldenTensor, GoldenTensor] | null;
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
  /** [pre, post]. */
  readonly w0: GoldenTensor;
  readonly source_s: GoldenTensor;
  readonly target_s: GoldenTensor;
  /** source_x, target_x and w after each step. */
  readonly outputs: GoldenTensors;
}

/** "squeeze" takes the batch's axis away, which has one sample. */
const REDUCTIONS: Readonly<Record<string, "sum" | "mean">> = { sum: "sum", mean: "mean", squeeze: "sum" };

function ruleOf({ rule: name, options }: Entry): Rule {
  const { nu, nu_per_post, dt, traces_additive, trace_scale } = options;
  const [atPre, atPost] = (nu_per_post?.map((t) => toTensor(t)) ?? nu) as
    | readonly [number, number]
    | readonly [Tensor, Tensor];
  const [tauBefore, tauBehind] = [options.tc_trace_source, options.tc_trace_target];
  const interaction = traces_additive ? "all" : "nearest";
  if (name === "Hebbian") {
    return new Hebbian({
      ...{ numerics: "bindsnet", dt, interaction, etaPre: atPre, etaPost: atPost },
      ...{ tauPre: tauBefore, tauPost: tauBehind, amountPre: trace_scale, amountPost: trace_scale },
    });
  }
  const dependences = { PostPre: "additive", WeightDependentPostPre: "multiplicative" } as const;
  const dependence = lookUp<"additive" | "multiplicative">("rule", dependences, name);
  return new STDP({
    ...{ numerics: "bindsnet", dt, interaction, dependence, aPlus: atPost, aMinus: atPre },
    ...{ tauPlus: tauBefore, tauMinus: tauBehind, amountPlus: trace_scale, amountMinus: trace_scale },
  });
}

goldenSuite<{ entries: readonly Entry[] }, Entry>({
  file: "bindsnet/stdp",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: { quirks: "notes on calls that the peer refuses" },
  run(entry) {
    const { name, options, w0, source_s, target_s, outputs } = entry;
    const { wmin, wmax, weight_decay: weightDecay, reduction } = options;
    const layer = linearOf(transposed(w0));
    const plastic = new Plastic(layer, ruleOf(entry), {
      ...boundsOf(wmin, wmax),
      weightDecay,
      reduction: lookUp("reduction", REDUCTIONS, reduction),
    });
    const recorder = new Recorder();
    runSteps(plastic, source_s, target_s, ({ x, y }) =>
      recorder.note({ w: layer.weight.transpose(0, 1), source_x: x as Tensor, target_x: y as Tensor }),
    );
    for (const [output, expected] of Object.entries(outputs)) recorder.compare(name, output, expected);
  },
});
