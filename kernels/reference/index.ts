/**
 * The kernels again, naive and in float64: one function per SIMD kernel, same name, same arguments, same addresses.
 * Read these first; the tests trust them, and `gradcheck` runs the whole engine on them.
 */
import type { Kernels } from "../build/types.ts";
import { alignBits, countBits, packBits, sumBits, transposeBits, unpackBits } from "./bits.ts";
import * as blocks from "./blocks.ts";
import * as elementwise from "./elementwise.ts";
import * as encode from "./encode.ts";
import * as formula from "./formula.ts";
import * as gather from "./gather.ts";
import * as leaky from "./leaky.ts";
import * as lif from "./lif.ts";
import * as math from "./math.ts";
import * as matmul from "./matmul.ts";
import * as normalize from "./normalize.ts";
import * as optim from "./optim.ts";
import * as patches from "./patches.ts";
import * as pool from "./pool.ts";
import * as random from "./random.ts";
import * as reduce from "./reduce.ts";
import * as softmax from "./softmax.ts";
import { spike, surrogate } from "./surrogate.ts";

export const reference: Kernels = {
  alignBits,
  countBits,
  packBits,
  sumBits,
  transposeBits,
  unpackBits,
  ...blocks,
  ...elementwise,
  ...encode,
  ...formula,
  ...gather,
  ...leaky,
  ...lif,
  ...math,
  ...matmul,
  ...normalize,
  ...optim,
  ...patches,
  ...pool,
  ...random,
  ...reduce,
  ...softmax,
  spike,
  surrogate,
};
