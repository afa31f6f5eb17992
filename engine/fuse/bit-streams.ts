/**
 * Streams of bits in the code of a sweep. A sweep holds a boolean as a mask of all ones or zeros in each lane; memory holds a bit. The
 * bits of sixteen columns are stored as 16 bits at once where the first is bit 0 of a byte.
 */
import { type Code, I32, V128 } from "./encode.ts";
import * as OP from "./opcodes.ts";
import * as SIMD from "./simd.ts";

/** Pushes the address of a bit's byte, from locals of a stream and of the number of the bit. */
const pushByte = (code: Code, bits: number, bit: number): Code =>
  code.get(bits).get(bit).integer(3).op(OP.shrU).op(OP.add);

/** Pushes the number of a bit in its byte. */
const pushPlace = (code: Code, bit: number): Code => code.get(bit).integer(7).op(OP.and);

/** A stream that is read: locals of its address, of its next bit, and of the bits of sixteen columns in each lane. */
export class Flags {
  readonly bits: number;
  readonly bit: number;
  private readonly code: Code;
  private readonly word: number;

  constructor(code: Code) {
    this.code = code;
    this.bits = code.local(I32);
    this.bit = code.local(I32);
    this.word = code.local(V128);
  }

  /**
   * Pushes the mask of the four columns that start `offset` bytes, of float32, behind the first; with an offset of 0 it loads the bits
   * of all sixteen.
   */
  readonly load = (offset: number): void => {
    const { code, bits, bit, word } = this;
    if (offset === 0) {
      pushByte(code, bits, bit).op(OP.load, 0, 0);
      pushPlace(code, bit).op(OP.shrU).simd(SIMD.splat).set(word);
    }
    const first = 1 << (offset / 4);
    const pushBits = () => code.lanes(first, first << 1, first << 2, first << 3);
    pushBits();
    pushBits().get(word).simd(SIMD.both).simd(SIMD.equalIntegers);
  };
}

/** A stream that is written, of zeros before: locals of its address, of the mask of a vector, and of two masks as one. */
export class Marks {
  readonly bits: number;
  readonly mask: number;
  private readonly code: Code;
  private readonly halves: readonly [number, number];
  private readonly word: number;
  private readonly at: number;

  constructor(code: Code) {
    this.code = code;
    [this.bits, this.word, this.at] = [code.local(I32), code.local(I32), code.local(I32)];
    this.mask = code.local(V128);
    this.halves = [code.local(V128), code.local(V128)];
  }

  /** Packs the mask of vector i, of 0 to 3, with those of the vectors before it. */
  gather(i: number): void {
    const { code, mask } = this;
    const half = this.halves[i >> 1] as number;
    if (i & 1) code.get(half).get(mask).simd(SIMD.narrow32);
    else code.get(mask);
    code.set(half);
  }

  /** Stores the bits of sixteen columns, the first of which is in the local. */
  storeSixteen(bit: number): void {
    const { code, bits, halves, word } = this;
    code.get(halves[0]).get(halves[1]).simd(SIMD.narrow16).simd(SIMD.bitmask8).set(word);
    pushPlace(code, bit);
    code.choose(
      () => this.store(bit),
      () => pushByte(code, bits, bit).get(word).op(OP.store16, 0, 0),
    );
  }

  /** The same for those of one vector. */
  storeFew(bit: number, lanes: 1 | 4): void {
    const { code } = this;
    code.get(this.mask).simd(SIMD.bitmask32);
    if (lanes === 1) code.integer(1).op(OP.and);
    code.set(this.word);
    this.store(bit);
  }

  /** Sets the bits of the word in the stream. */
  private store(bit: number): void {
    const { code, at } = this;
    pushByte(code, this.bits, bit).op(OP.tee, at);
    code.get(at).op(OP.load, 0, 0).get(this.word);
    pushPlace(code, bit).op(OP.shl).op(OP.or).op(OP.store, 0, 0);
  }
}
