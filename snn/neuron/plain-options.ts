/** Reads the options of neurons that have kernels, for pages without the compiler. */
import { choiceOf, joined, numberOf, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";
import { RESETS } from "../../kernels/reference/kinds.ts";
import { type Fire, IN_FLOAT32, strictOf } from "../layer/checks.ts";
import { persistentCopy } from "../layer/per-neuron.ts";
import { sigmoid } from "../surrogates/known.ts";
import { checkSurrogate, type Surrogate } from "../surrogates/surrogate.ts";
import { compilerFor, type Making, useKernelReader } from "./compiler.ts";
import { betaOf, type DecayOptions } from "./decay.ts";
import { boundsOf, rangeIn } from "./definition.ts";
import { Plain } from "./plain.ts";
import { INTEGRATOR, SNNTORCH } from "./presets.ts";

/** Options of both layers, with their defaults. */
const COMMON = {
  beta: undefined as number | Tensor | undefined,
  tau: undefined as number | undefined,
  dt: 1,
  decay: "exp" as "exp" | "euler",
  constrain: {} as object,
  numerics: undefined as string | undefined,
};

/** Options that need the compiler unless they have these values. */
const INTEGRATOR_FURTHER = { rest: undefined, inputScale: undefined, learn: undefined, learnBeta: false };
const LIF_FURTHER = /* @__PURE__ */ joined(INTEGRATOR_FURTHER, {
  lowerBound: undefined,
  learnThreshold: false,
  start: "zero",
  resetInput: false,
  detachReset: true,
  refractorySteps: 0,
  refractory: "hold",
  gradedSpikesFactor: undefined,
  inhibition: undefined,
  spiking: true,
});

const INTEGRATOR_OPTIONS = /* @__PURE__ */ joined(COMMON, INTEGRATOR_FURTHER);
const LIF_OPTIONS = /* @__PURE__ */ joined(/* @__PURE__ */ joined(COMMON, LIF_FURTHER), {
  threshold: undefined as number | Tensor | undefined,
  reset: "zero" as keyof typeof RESETS,
  resetValue: undefined as number | undefined,
  resetDelay: false,
  fire: "ge" as Fire,
  surrogate: undefined as Surrogate | undefined,
});

/** A LIF layer with options that its kernels have. */
function kernelLIF(options: object): Making {
  const asked = withDefaults("LIF", LIF_OPTIONS, options);
  if (asked.numerics !== undefined && asked.numerics !== "snntorch") refuse("LIF", `numerics "${asked.numerics}"`);
  const given = { ...LIF_OPTIONS, ...(asked.numerics && SNNTORCH), ...asked };
  const { reset, resetValue = 0, resetDelay, start, surrogate = sigmoid(), threshold = 1 } = given;
  choiceOf("LIF", "reset", reset, ["zero", "subtract", "none"]);
  choiceOf("LIF", "start", start, ["zero", "rest", "resetValue"]);
  checkSurrogate("LIF", surrogate);
  if (reset !== "zero" && asked.resetValue !== undefined) {
    throw wrongValue("LIF", 'reset "zero" with resetValue', show(reset));
  }
  if (typeof resetValue === "object") refuse("LIF", "resetValue");
  const isAtRest = start !== "resetValue" || reset !== "zero" || resetValue === 0;
  checkFurther("LIF", given, LIF_FURTHER, {
    ...{ rest: 0, inputScale: 1, inhibition: false },
    start: isAtRest ? start : "zero",
    detachReset: reset !== "none",
  });
  if (surrogate.kind < 0) refuse("LIF", `surrogate.${surrogate.name}`);
  const plain = new Plain("LIF", {
    reset: RESETS[reset],
    resetValue: numberOf("LIF", "resetValue", resetValue, IN_FLOAT32),
    delayed: resetDelay ? 1 : 0,
    strict: strictOf("LIF", given.fire),
    surrogate,
  });
  return forKernels("LIF", options, given, asked, plain, { threshold });
}

/** A leaky integrator with options that its kernels have. */
function kernelIntegrator(options: object): Making {
  const given = withDefaults("LeakyIntegrator", INTEGRATOR_OPTIONS, options);
  if (given.numerics !== undefined) refuse("LeakyIntegrator", "numerics");
  checkFurther("LeakyIntegrator", given, INTEGRATOR_FURTHER, {});
  return forKernels("LeakyIntegrator", options, given, given, INTEGRATOR, {});
}

/** Throws for options with other values than those in `usual` and `others`, except options that learn nothing. */
function checkFurther(name: string, given: object, usual: object, others: object): void {
  for (const [key, value] of Object.entries(usual)) {
    const own = (given as Record<string, unknown>)[key];
    const fits = [undefined, value, (others as Record<string, unknown>)[key]].includes(own);
    if (!fits && (own as unknown[]).length !== 0) refuse(name, key);
  }
}

const refuse = (name: string, what: string): unknown => compilerFor(name, what);

/** A layer with beta and further parameters, all fixed. */
function forKernels(
  name: string,
  options: object,
  given: typeof COMMON,
  asked: object,
  plain: Plain,
  others: Readonly<Record<string, number | Tensor>>,
): Making {
  choiceOf(name, "decay", given.decay, ["exp", "euler"]);
  const values: Readonly<Record<string, number | Tensor>> = {
    beta: betaOf(name, given as DecayOptions, asked as DecayOptions) ?? given.beta ?? 0.95,
    ...others,
  };
  const own = boundsOf(name, [], given.constrain, Object.keys(given.constrain));
  for (const key of Object.keys(own)) if (!(key in values)) refuse(name, `constrain.${key}`);
  const bounds: typeof own = { beta: [0, 1], ...own };
  const rangeOf = (key: string) => rangeIn(bounds[key]);
  return {
    name,
    options,
    parameterNames: Object.keys(values),
    stateNames: ["v"],
    learned: new Set(),
    tensor: (key) => persistentCopy(name, key, values[key] as number | Tensor, rangeOf(key)),
    rangeOf,
    plainOf: () => plain,
  };
}

useKernelReader((name, options) => (name === "LIF" ? kernelLIF : kernelIntegrator)(options));
