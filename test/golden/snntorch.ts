/** snnTorch's Leaky neuron and its surrogates in terms of this package. */
import { type Surrogate, surrogate } from "jarvis-snn";

/** Surrogates by snnTorch's names, with its parameters in their order and its defaults. */
const SURROGATES: Readonly<Record<string, (...parameters: number[]) => Surrogate>> = {
  atan: (alpha = 2) => surrogate.atan({ alpha }),
  fast_sigmoid: (slope = 25) => surrogate.fastSigmoid({ slope }),
  sigmoid: (slope = 25) => surrogate.sigmoid({ slope }),
  straight_through: () => surrogate.straightThrough(),
  straight_through_estimator: () => surrogate.straightThrough(),
  heaviside: () => surrogate.heaviside(),
  // As shipped: +threshold below, −threshold from 0 on; not a triangle.
  triangular: (threshold = 1) =>
    surrogate.custom({
      derivative: (x) =>
        x
          .ge(0)
          .mul(-2 * threshold)
          .add(threshold),
    }),
  SFS: (slope = 25, bound = 1) => surrogate.sparseFastSigmoid({ slope, bound }),
  spike_rate_escape: (beta = 1, slope = 25) => surrogate.spikeRateEscape({ beta, slope }),
};

/** The surrogate of a name and its parameters, in snnTorch's order. */
export function snntorchSurrogate(name: string, parameters: Readonly<Record<string, number>>): Surrogate {
  const make = SURROGATES[name];
  if (make === undefined) throw new Error(`no surrogate for ${JSON.stringify(name)}`);
  return make(...Object.values(parameters));
}

/** No gradient through spikes. */
export const noSurrogate = surrogate.custom({ derivative: () => 0 });

/** The surrogate of a name such as "atan" or "fast_sigmoid25". */
export function surrogateOf(text: string): Surrogate {
  const [, name = "", parameter] = /^(\D*?)(-?[\d.]+)?$/.exec(text) ?? [];
  const make = SURROGATES[name];
  if (make === undefined) throw new Error(`no surrogate for ${JSON.stringify(text)}`);
  return parameter === undefined ? make() : make(Number(parameter));
}
