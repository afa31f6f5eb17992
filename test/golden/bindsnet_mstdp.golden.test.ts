/** BindsNET's MSTDP and MSTDPET on given spikes and rewards, step by step. */
import { full, Plastic, type PlasticState, RewardSTDP, type Tensor } from "jarvis-snn";
import { type GoldenTensor, type GoldenTensors, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lookUp } from "./neurons.ts";
import { boundsOf, linearOf, Recorder, transposed } from "./plasticity.ts";

interface Entry extends NamedEntry {
  readonly rule: string;
  readonly options: {
    /** The first alone is used. */
    readonly nu: readonly [number, number];
    readonly wmin: number | string;
    readonly wmax: number | string;
    readonly weight_decay: number;
    readonly reduction: string;
    readonly dt: number;
    readonly tc_plus: number;
    readonly tc_minus: number;
    readonly tc_e_trace?: number;
    readonly a_plus: number;
    /** Negative. */
    readonly a_minus: number;
  };
  /** [in, out]. */
  readonly w0: GoldenTensor;
  /** Spikes [T, B, N]. */
  readonly source_s: GoldenTensor;
  readonly target_s: GoldenTensor;
  /** One of each step, or [T, B, 1, 1]. */
  readonly reward: readonly number[] | GoldenTensor;
  readonly outputs: GoldenTensors;
}

/** Of a sum over one sample nothing is left to reduce. */
const REDUCTIONS = { squeeze: "sum", sum: "sum", mean: "mean" } as const;

goldenSuite<{ entries: readonly Entry[]; unsupported: unknown }, Entry>({
  file: "bindsnet/mstdp",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: { unsupported: "a call that the peer refuses" },
  run({ name, rule: of, options, w0, source_s, target_s, reward, outputs }) {
    const hasTrace = lookUp("rule", { MSTDP: false, MSTDPET: true }, of);
    const { nu, wmin, wmax, weight_decay: weightDecay, dt, tc_plus, tc_minus, a_plus, a_minus } = options;
    const tau = options.tc_e_trace ?? 1;
    const kind = hasTrace ? { tauE: tau } : ({ eligibility: "step" } as const);
    const layer = linearOf(transposed(w0));
    const rule = new RewardSTDP({
      ...{ numerics: "bindsnet", dt, eta: nu[0], ...kind },
      ...{ aPlus: a_plus, aMinus: -a_minus, tauPlus: tc_plus, tauMinus: tc_minus },
    });
    const reduction = lookUp<"sum" | "mean">("reduction", REDUCTIONS, options.reduction);
    const plastic = new Plastic(layer, rule, { ...boundsOf(wmin, wmax), reduction, weightDecay });
    const [pre, post] = [toTensor(source_s).unbind(0), toTensor(target_s).unbind(0)];
    const B = source_s.shape[1] as number;
    const rewards = "data" in reward ? numbersOf(reward) : reward;
    const each = rewards.length / pre.length;
    const recorder = new Recorder();
    let state = plastic.initialState(B);
    for (const [t, spikes] of pre.entries()) {
      const before = eligibilityOf(state);
      const r = rewards.slice(t * each, (t + 1) * each);
      state = plastic.step(spikes, post[t] as Tensor, state, { reward: each === 1 ? (r[0] as number) : r });
      const after = eligibilityOf(state);
      const { x, y } = state.traces as Record<"x" | "y", Tensor>;
      const noted = {
        w: layer.weight.transpose(0, 1),
        // The peer's traces hold the amplitudes.
        p_plus: x.mul(a_plus),
        p_minus: y.mul(a_minus),
        // The trace of a peer's step has the pairs of the steps before; ours has those of the step too.
        eligibility: hasTrace ? after.sub(before.mul(full([], -dt / tau).exp())).mul(tau) : after,
        ...(hasTrace ? { eligibility_trace: before } : {}),
      };
      for (const [output, value] of Object.entries(noted)) {
        recorder.note({ [output]: value.reshape((outputs[output] as GoldenTensor).shape.slice(1)) });
      }
    }
    for (const [output, expected] of Object.entries(outputs)) {
      // Traces of the peer's layers, which these rules leave alone.
      if (output !== "source_x" && output !== "target_x") recorder.compare(name, output, expected);
    }
  },
});

/** e of each synapse, [B, in, out]. */
const eligibilityOf = ({ synapses, scales }: PlasticState): Tensor =>
  (synapses.e as Tensor).mul(scales.e as number).transpose(-1, -2);
