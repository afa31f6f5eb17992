/** SpikingJelly's reward-modulated STDP, without eligibility traces (MSTDP) and with them (MSTDPET), step by step. */
import { full, Plastic, type PlasticState, plasticity, RewardSTDP, type Rule, type Tensor } from "jarvis-snn";
import { expectClose } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lookUp } from "./neurons.ts";
import { linearOf, Recorder } from "./plasticity.ts";

interface Options {
  readonly tau_pre: number;
  readonly tau_post: number;
  readonly tau_trace: number | null;
  readonly f_pre: string;
  readonly f_post: string;
  /** null: spikes have no batch. */
  readonly batch_size: number | null;
  readonly lr: number;
  readonly clamp_after_step: readonly [number, number];
  readonly net_steps_per_learner_step: number;
  readonly scale: number;
}

interface Entry extends NamedEntry {
  readonly class: string;
  readonly options: Options;
  readonly w0: GoldenTensor;
  /** Spikes before, [T, (B,) in], of each step of the network. */
  readonly input: GoldenTensor;
  /** [K] or [K, B], of each step of the learner. */
  readonly reward: GoldenTensor;
  /** `out_spike` of each step of the network; the others of each step of the learner. */
  readonly outputs: GoldenTensors;
}

/** The options that are a peer's weighing of both changes by f(w). */
const WEIGHINGS = {
  "f(w) = w (the default) | f(w) = w (the default)": {},
  "f(w) = 1 | f(w) = 1": { dependence: "additive" },
  "f(w) = 0.5 | f(w) = (1 - w)^2": { dependence: "power", aMinus: 0.5, muMinus: 0, muPlus: 2 },
} as const;

/** Weighs by w between 0 and 0.25, which no option of RewardSTDP does: a rule of one's own. */
const Clamped = plasticity({
  name: "Clamped",
  traces: { x: { of: "pre", tau: "tauPlus" }, y: { of: "post", tau: "tauMinus" } },
  synapse: { e: { tau: 0 } },
  parameters: { eta: 1, tauPlus: 20, tauMinus: 20 },
  onPre: ({ w, y }) => ({ e: y.mul(w.clamp(0, 0.25)).neg() }),
  onPost: ({ w, x }) => ({ e: x.mul(w.clamp(0, 0.25)) }),
  onReward: ({ e, reward, eta }) => e.mul(reward).mul(eta),
});

function ruleOf(options: Options, hasTrace: boolean): Rule {
  const { tau_pre: tauPlus, tau_post: tauMinus, tau_trace, f_pre, f_post, lr, scale } = options;
  const all = { eta: lr * scale, tauPlus, tauMinus };
  if (!hasTrace && f_pre === "f(w) = clamp(w, 0, 0.25)" && f_post === f_pre) {
    return new Clamped({ ...all, order: "after", rewardAfter: "nothing" });
  }
  const weighing = lookUp<object>("weighing", WEIGHINGS, `${f_pre} | ${f_post}`);
  const kind = hasTrace ? { tauE: tau_trace as number } : ({ eligibility: "step" } as const);
  return new RewardSTDP({ numerics: "spikingjelly", ...all, ...weighing, ...kind });
}

goldenSuite<{ entries: readonly Entry[]; unsupported: unknown }, Entry>({
  file: "spikingjelly/mstdp",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: { unsupported: "calls that the peer refuses" },
  run({ name, class: of, options, w0, input, reward, outputs }) {
    const hasTrace = lookUp("class", { MSTDPLearner: false, MSTDPETLearner: true }, of);
    const { batch_size, net_steps_per_learner_step: each, lr, clamp_after_step: bounds } = options;
    const B = batch_size ?? 1;
    const stepsOf = (t: GoldenTensor): Tensor[] =>
      toTensor(t)
        .reshape([t.shape[0] as number, B, -1])
        .unbind(0);
    const [pre, post] = [stepsOf(input), stepsOf(present(outputs, "out_spike"))];
    const rewards = toTensor(reward)
      .reshape([reward.shape[0] as number, -1])
      .unbind(0);
    const layer = linearOf(toTensor(w0));
    const plastic = new Plastic(layer, ruleOf(options, hasTrace), { bounds });
    const recorder = new Recorder();
    let state = plastic.initialState(B);
    let weight = toTensor(w0);
    for (const [t, spikes] of pre.entries()) {
      const [k, apply] = [Math.floor(t / each), t % each === each - 1];
      const r = rewards[k] as Tensor;
      const before = eligibilityOf(state);
      state = plastic.step(spikes, post[t] as Tensor, state, { reward: r.size === 1 ? r.item() : r, apply });
      if (!apply) continue;
      const after = eligibilityOf(state);
      const tau = options.tau_trace ?? 1;
      // The trace of a peer's step has the pairs of the steps before; ours has those of the step too.
      const made = hasTrace ? after.sub(before.mul(full([], -1 / tau).exp())).mul(tau) : after;
      const noted = { trace_pre: state.traces.x, trace_post: state.traces.y, trace_e: before, eligibility: made };
      for (const [output, value] of Object.entries(noted)) {
        if (output !== "trace_e" || hasTrace) recorder.note({ [output]: shapedAs(value as Tensor, outputs, output) });
      }
      const delta = toTensor(present(outputs, "delta_w")).unbind(0)[k] as Tensor;
      const wanted = weight.add(delta.mul(lr)).clamp(...bounds);
      recorder.note({ weight: layer.weight });
      // Each change alone is the peer's, but for the rounding of the weight.
      expectClose(`${name}: delta_w ${k}`, layer.weight, goldenOf(wanted), { absolute: 2e-7, relative: 0 }, "states");
      weight = layer.weight.detach().clone();
    }
    for (const [output, expected] of Object.entries(outputs)) {
      if (output === "out_spike" || output === "delta_w") continue;
      recorder.compare(name, output, expected);
    }
  },
});

/** e of each synapse. */
const eligibilityOf = ({ synapses, scales }: PlasticState): Tensor => (synapses.e as Tensor).mul(scales.e as number);

/** The value in the shape that the peer's has in each step. */
const shapedAs = (t: Tensor, outputs: GoldenTensors, name: string): Tensor =>
  t.reshape(present(outputs, name).shape.slice(1));

/** The values as those of a file. */
const goldenOf = (t: Tensor): GoldenTensor => ({ shape: t.shape, data: Array.from(t.toFloat32Array()) });

function present(outputs: GoldenTensors, name: string): GoldenTensor {
  const t = outputs[name];
  if (t === undefined) throw new Error(`expected an output ${name}`);
  return t;
}
