/** Norse's STDP of linear layers and convolutions with its four dependences on the weight, step by step. */
import { Conv2d, Plastic, STDP } from "jarvis-snn";
import type { GoldenTensor, GoldenTensors } from "../support/golden.ts";
import { toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lookUp } from "./neurons.ts";
import { linearOf, Recorder, runSteps, withWeight } from "./plasticity.ts";

interface Entry extends NamedEntry {
  readonly dt: number;
  readonly params: {
    readonly a_pre: number;
    readonly a_post: number;
    /** In 1/s. */
    readonly tau_pre_inv: number;
    readonly tau_post_inv: number;
    readonly w_min: number;
    readonly w_max: number;
    readonly eta_plus: number;
    readonly eta_minus: number;
    readonly stdp_algorithm?: string;
    readonly hardbound?: boolean;
    readonly mu?: number;
  };
  readonly w0: GoldenTensor;
  readonly z_pre: GoldenTensor;
  readonly z_post: GoldenTensor;
  /** w, and of linear layers t_pre and t_post, after each step. */
  readonly outputs: GoldenTensors;
}

const DEPENDENCES = {
  additive: "additive",
  additive_step: "step",
  multiplicative_pow: "power",
  multiplicative_relu: "multiplicative",
} as const;

goldenSuite<{ entries: readonly Entry[] }, Entry>({
  file: "norse/stdp",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run({ name, dt, params, w0, z_pre, z_post, outputs }) {
    const { stdp_algorithm = "additive", hardbound = true, mu = 0 } = params;
    const dependence = lookUp<(typeof DEPENDENCES)[keyof typeof DEPENDENCES]>(
      "dependence",
      DEPENDENCES,
      stdp_algorithm,
    );
    const rule = new STDP({
      ...{ numerics: "norse", dt, dependence },
      ...(dependence === "power" ? { muPlus: mu, muMinus: mu } : {}),
      ...{ aPlus: params.eta_plus, aMinus: params.eta_minus, amountPlus: params.a_pre, amountMinus: params.a_post },
      ...{ tauPlus: 1 / params.tau_pre_inv, tauMinus: 1 / params.tau_post_inv },
    });
    const weight = toTensor(w0);
    const [filters = 0, channels = 0, ...kernel] = weight.shape;
    const layer =
      kernel.length === 0
        ? linearOf(weight)
        : withWeight(new Conv2d(channels, filters, kernel as [number, number], { bias: false }), weight);
    const recorder = new Recorder();
    // Without hard bounds, changes that depend on the bounds keep weights within them.
    const isFree = !hardbound && (dependence === "additive" || dependence === "step");
    const plastic = new Plastic(layer, rule, isFree ? {} : { bounds: [params.w_min, params.w_max] });
    runSteps(plastic, z_pre, z_post, ({ x, y }) => recorder.note({ w: layer.weight, t_pre: x, t_post: y } as never));
    for (const [output, expected] of Object.entries(outputs)) recorder.compare(name, output, expected);
  },
});
