/** Kinds of arguments that rows of several files share. */
import { bool, choice, either, type Kind, list, num, record, spare, t } from "../kinds.ts";
import { OF_SPIKES } from "../neurons.ts";
import { surrogate } from "../objects.ts";

export const axis = num(0, 1, -1, -2);

export const reduction = choice("mean", "sum", "none");

export const pair = either(num(1, 2), list(1, 2));

export const unary = [t(2, 3)] as const;

export const window = { stride: pair, padding: either(num(0, 1), list(0, 1)), dilation: pair, groups: num(1, 2) };

export const pooling = { stride: pair, padding: num(0, 1), ceilMode: bool };

export const affine = { eps: num(1e-5, 0.1), affine: bool };

/** Options of all neurons. */
export const firing = { surrogate, fire: choice("ge", "gt"), spiking: spare(bool), ...OF_SPIKES };

export const held: Kind = { ...t(2, 3), draw: () => "zeros([2, 3])" };

export const state = record({ v: t(2, 3), refractory: held });

/** Of a network of three layers: that of `probed`, of two samples. */
export const networkState =
  "{ layers: [null, { v: rand([2, 4]), refractory: zeros([2, 4]) }, { trace: rand([2, 4]) }] }";

/** Optimizers have methods of their base class alone; each kind updates in its own way. */
export const stepping = { step: [], zeroGrad: [], stateDict: [], dispose: [] } as const;

export const current = t(4, 2, 3);
