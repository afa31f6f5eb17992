/** The equations of the neurons that have hand-written kernels (plain.ts), and the conditions under which the kernels run a layer. */
import { RESETS } from "../../kernels/reference/kinds.ts";
import { sigmoid, superSpike } from "../surrogates/known.ts";
import { decayFor, leakTo } from "./decay.ts";
import { united } from "./definition.ts";
import { type NeuronSpec, specOf } from "./form.ts";
import { Plain } from "./plain.ts";
import { INTEGRATOR, SNNTORCH } from "./presets.ts";
import { fired, RESET, RESET_NEEDS, type Reset, startOf } from "./reset.ts";
import type { Firing } from "./step.ts";

/** The equation of LIF, its parameters and its options. */
export const LIF_FORM = specOf(
  {
    name: "LIF",
    state: { v: startOf },
    parameters: {
      /** β, the decay per step, in [0, 1]; a tensor [N] gives each neuron its own. Default 0.95. */
      beta: {
        default: 0.95,
        from: decayFor("LIF"),
        also: {
          /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
          learnBeta: false,
        },
      },
      /** θ, in the unit of v; a tensor [N] gives each neuron its own. Default 1. */
      threshold: {
        default: 1,
        also: {
          /** Learns the threshold; one for all neurons unless it is given as a tensor, such as ones([N]). Default false. */
          learnThreshold: false,
        },
      },
      /**
       * Resting value, to which v decays; a tensor [N] gives each neuron its own, and makes it a parameter. Default 0.
       */
      rest: { default: 0, optional: true },
      /**
       * Factor of the current; "leak" is 1 − β, with which a constant current I leads to v = rest + I. A tensor [N] gives each neuron its
       * own, and makes it a parameter. Default 1.
       */
      inputScale: { default: 1, optional: ["leak"] },
      /**
       * The value of v after a reset to "zero", an error with other resets. A tensor [N] gives each neuron its own, and makes it a parameter.
       * Default 0.
       */
      resetValue: { default: 0, optional: true },
      /** A floor under v, after the reset; a tensor [N] gives each neuron its own, and makes it a parameter. Default: none. */
      lowerBound: { default: null, optional: true },
    },
    choices: united(
      {
        /** v before the first step: 0, rest, or resetValue, which is 0 unless the reset is "zero". Default "zero". */
        start: ["zero", "rest", "resetValue"],
      },
      RESET,
    ),
    needs: RESET_NEEDS,
    constrain: { beta: [0, 1] },
    numerics: {
      // β of τ = 10 ms at 1 ms in Norse, 2 steps in SpikingJelly, 100 ms in BindsNET.
      snntorch: SNNTORCH,
      norse: {
        beta: 0.9,
        start: "rest",
        decay: "euler",
        inputScale: "leak",
        fire: "gt",
        detachReset: false,
        surrogate: /* @__PURE__ */ superSpike(),
      },
      spikingjelly: {
        beta: 0.5,
        start: "resetValue",
        decay: "euler",
        inputScale: "leak",
        detachReset: false,
        surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }),
      },
      nir: { decay: "euler", inputScale: "leak", fire: "gt" },
      bindsnet: { beta: 0.990049834, start: "rest", threshold: 13, refractorySteps: 5, refractory: "leak" },
    },
    step(argument, choices) {
      const { current, v, beta, threshold, rest, inputScale, resetValue, lowerBound, constant, where } = argument;
      const { decay, scaled } = leakTo({ rest, beta, inputScale, constant });
      const all = fired(argument, choices, { v, threshold, resetValue, decay, input: scaled(current) });
      if (lowerBound === null) return all;
      // A delayed reset may set the held v below the floor. Without a delayed reset v is not clamped: a maximum would
      // halve the gradient at v = floor.
      const isLate = choices.resetDelay && choices.reset !== "none";
      const held = isLate ? where(all.held.lt(lowerBound), lowerBound, all.held) : all.held;
      return { ...all, v: all.v.maximum(lowerBound), leaked: all.leaked.maximum(lowerBound), held };
    },
  },
  { plain: plainLIF },
);

/** The options of the equation: a number for each fixed parameter, null for a tensor. */
interface Chosen extends Reset {
  readonly rest: number | null;
  readonly inputScale: number | "leak" | null;
  readonly resetValue: number | null;
  readonly lowerBound?: number | null;
}

/** The options of the kernels of LIF; null if the kernels do not have these options. */
function plainLIF({ initial, chosen }: NeuronSpec, firing: Firing): Plain | null {
  const { reset, resetValue, resetDelay, resetInput, detachReset, rest, inputScale, lowerBound } =
    chosen as unknown as Chosen;
  const { surrogate, strict, hold, isGraded, inhibition, spiking } = firing;
  if (hold > 0 || isGraded || inhibition !== null || !spiking || surrogate.kind < 0) return null;
  if (initial[0] !== 0 || rest !== 0 || inputScale !== 1 || resetValue === null || lowerBound !== undefined)
    return null;
  if ((!detachReset && reset !== "none") || (resetInput && resetDelay && reset === "zero")) return null;
  const delayed = resetDelay ? 1 : 0;
  return new Plain("LIF", { reset: RESETS[reset], resetValue, delayed, strict: strict ? 1 : 0, surrogate });
}

export const INTEGRATOR_FORM = specOf(
  {
    name: "LeakyIntegrator",
    state: { v: ({ rest }) => rest },
    parameters: {
      /** β, the decay per step, in [0, 1]; a tensor [N] gives each neuron its own. Default 0.95. */
      beta: {
        default: 0.95,
        from: decayFor("LeakyIntegrator"),
        also: {
          /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
          learnBeta: false,
        },
      },
      /**
       * Resting value, to which v decays and from which it starts; a tensor [N] gives each neuron its own. Default 0.
       */
      rest: { default: 0, optional: true, fold: false },
      /** Factor of the current; "leak" is 1 − β, with which a constant current I leads to v = rest + I. Default 1. */
      inputScale: { default: 1, optional: ["leak"], fold: false },
    },
    constrain: { beta: [0, 1] },
    // β of τ = 10 ms at 1 ms in Norse, 2 steps in SpikingJelly.
    numerics: {
      norse: { beta: 0.9, decay: "euler", inputScale: "leak" },
      spikingjelly: { beta: 0.5, decay: "euler", inputScale: "leak" },
      nir: { decay: "euler", inputScale: "leak" },
    },
    step(argument) {
      const { decay, scaled } = leakTo(argument);
      const u = decay(argument.v).add(scaled(argument.current));
      return { membrane: u, v: u };
    },
    // A readout has no options of spikes and no reset state.
  },
  { reset: null, plain: plainIntegrator, common: { learn: undefined, constrain: undefined, numerics: undefined } },
);

/** The options of the kernels without spikes; null unless β is the only parameter. */
function plainIntegrator({ parameters, chosen }: NeuronSpec): Plain | null {
  return chosen?.inputScale === "leak" || Object.keys(parameters).length > 1 ? null : INTEGRATOR;
}

/** The forms, by the names of their classes. */
export const PLAIN_FORMS: Readonly<Record<string, NeuronSpec>> = { LIF: LIF_FORM, LeakyIntegrator: INTEGRATOR_FORM };
