import { numberOf, UNIT, withDefaults } from "../arguments.ts";
import { k } from "../backend.ts";
import { defaultGenerator, type Generator, generatorOf } from "../generator.ts";
import { applyOwning, gradOf, type Op, ready, SAVES } from "../op.ts";
import { allocate, recycle, scope } from "../scope.ts";
import { alive, emptySpikes, type Tensor } from "../tensor.ts";
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

/** z = scale·mask ⊙ x, of a mask in bits. */
interface Masking {
  readonly mask: Tensor;
  readonly scale: number;
}

const dropoutOp: Op<Masking> = {
  name: "dropout",
  saves: SAVES.nothing,
  forward(z, x, _y, _w, { mask, scale }) {
    writeFactors(z.ptr, mask, scale);
    k.mul(z.ptr, z.ptr, x.ptr, z.size);
  },
  backward(z, x, _y, _w, { mask, scale }) {
    const dx = gradOf(x);
    if (dx !== 0) {
      const factors = allocate(4 * z.size);
      writeFactors(factors, mask, scale);
      k.mulGrad(dx, z.gradPtr, factors, z.size);
      recycle(factors, 4 * z.size, scope.region);
    }
    mask.dispose();
  },
  drop: ({ mask }) => mask.dispose(),
};

function writeFactors(to: number, mask: Tensor, scale: number): void {
  k.unpackBits(to, mask.bits, mask.size);
  k.affine(to, to, mask.size, scale, 0);
}

/** x divided by 1 − p where the bits of the mask are set, else 0. Takes the mask over. */
export function dropoutBy(mask: Tensor, x: Tensor, p: number): Tensor {
  return applyOwning(dropoutOp, { mask, scale: p < 1 ? 1 / (1 - p) : 0 }, x);
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
  ready("dropout", x);
  return dropoutBy(drawn(x, p, generator), x, p);
}

/** A bit for every value of x, set with probability 1 − p. */
function drawn(x: Tensor, p: number, generator: Generator): Tensor {
  const mask = emptySpikes(x.sizes);
  try {
    const keep = allocate(128);
    k.fill(keep, 32, 1 - p);
    generator.bernoulli(mask.bits, keep, 32, Math.ceil(x.size / 32), 1);
    recycle(keep, 128, scope.region);
    return mask;
  } catch (error) {
    mask.dispose();
    throw error;
  }
}
