import { numberOf, UNIT, withDefaults } from "../arguments.ts";
import { inReference, k } from "../backend.ts";
import { defaultGenerator, type Generator, generatorOf } from "../generator.ts";
import { apply, gradOf, type Op, SAVES, saveFor } from "../op.ts";
import { allocate, recycle, scope } from "../scope.ts";
import { alive, streamBytes, type Tensor } from "../tensor.ts";
import { reshape } from "./view.ts";

/** Options of {@link dropout}. */
export interface DropoutOptions {
  /** The probability of a zero, in [0, 1]; default 0.5. */
  p?: number;
  /** false: x as it is; default true. */
  training?: boolean;
  /** Where the random numbers come from; the default generator if not given. */
  generator?: Generator;
}

interface Dropping {
  readonly p: number;
  readonly generator: Generator;
}

const dropoutOp: Op<Dropping> = {
  name: "dropout",
  saves: SAVES.nothing,
  forward(z, x, _y, _w, { p, generator }) {
    const words = Math.ceil(z.size / 32);
    const mask = saveFor(z, inReference() ? 128 * words : streamBytes(z.size));
    const keep = allocate(128);
    k.fill(keep, 32, 1 - p);
    generator.bernoulli(mask, keep, 32, words, 1);
    recycle(keep, 128, scope.region);
    writeFactors(z.ptr, z, p);
    k.mul(z.ptr, z.ptr, x.ptr, z.size);
  },
  backward(z, x, _y, _w, { p }) {
    const dx = gradOf(x);
    if (dx === 0) return;
    const factors = allocate(4 * z.size);
    writeFactors(factors, z, p);
    k.mulGrad(dx, z.gradPtr, factors, z.size);
    recycle(factors, 4 * z.size, scope.region);
  },
};

/** 1 / (1 − p) where the mask of z is set, which is bits, or numbers for the float64 kernels, else 0. */
function writeFactors(to: number, { saved, size }: Tensor, p: number): void {
  if (!inReference()) k.unpackBits(to, saved, size);
  k.affine(to, inReference() ? saved : to, size, p < 1 ? 1 / (1 - p) : 0, 0);
}

const DROPOUT: Required<DropoutOptions> = { p: 0.5, training: true, generator: defaultGenerator };

/**
 * In training zᵢ = mᵢ·xᵢ / (1 − p) with masks mᵢ that are 0 with probability p, else 1, so that means stay as they are;
 * elsewhere z = x. The shape stays.  ∂L/∂xᵢ = mᵢ·∂L/∂zᵢ / (1 − p).
 *
 * The masks are kept for backward, a bit each; they depend on the generator and the number of values only.
 *
 * @throws RangeError unless p lies in [0, 1]; TypeError for a generator that is none.
 * @see Srivastava et al. (2014), Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 15.
 */
export function dropout(x: Tensor, options: DropoutOptions = DROPOUT): Tensor {
  alive(x, "dropout");
  const { p, training, generator: given } = withDefaults("dropout", DROPOUT, options);
  numberOf("dropout", "p", p, UNIT);
  const generator = generatorOf("dropout", given);
  if (!training || p === 0) return reshape(x, x.sizes);
  return apply(dropoutOp, { p, generator }, x);
}
