/**
 * WebAssembly as bytes: as much of the format as the loops of emit.ts need. The functions of a module take integers and work on
 * the memory that it imports.
 *
 * @see WebAssembly Core Specification 2.0, chapter 5: the binary format.
 */

import * as OP from "./opcodes.ts";
import * as SIMD from "./simd.ts";

export const I32 = 0x7f;
export const V128 = 0x7b;
type Type = typeof I32 | typeof V128;

/** Instructions of vectors by the names of lane operations. */
export const LANE: Readonly<Record<string, number>> = {
  eq: 65,
  ne: 66,
  lt: 67,
  gt: 68,
  le: 69,
  ge: 70,
  not: 77,
  and: 78,
  andnot: 79,
  or: 80,
  xor: 81,
  bitselect: 82,
  floor: 104,
  nearest: 106,
  shl: 171,
  shr: 172,
  addBits: 174,
  subBits: 177,
  sqrt: 227,
  add: 228,
  sub: 229,
  mul: 230,
  div: 231,
  pmin: 234,
  pmax: 235,
  fromInteger: 250,
};

const MEMORY_PAGES = 65536;
const EMPTY_BLOCK = 0x40;
/** In the place of an operand. */
const NONE = -1;

/** Room to begin with; the bodies of most functions take more than half of it. */
const ROOM = 4096;
/** Bytes of a number, at most. */
const MOST = 5;

/** Bytes while they are written. A list of numbers would take eight times the memory, and young garbage is most of what compiling costs. */
class Bytes {
  private buffer = new Uint8Array(ROOM);
  length = 0;

  push(byte: number): void {
    this.reserve(1);
    this.buffer[this.length++] = byte;
  }

  /** Seven bits a byte, the lowest first; all but the last have the highest bit set. */
  unsigned(value: number): void {
    this.reserve(MOST);
    let rest = value >>> 0;
    for (; rest > 127; rest >>>= 7) this.buffer[this.length++] = (rest & 127) | 128;
    this.buffer[this.length++] = rest;
  }

  /** The same, where the last byte's bit 6 is the sign. */
  signed(value: number): void {
    this.reserve(MOST);
    let rest = value;
    for (; rest < -64 || rest > 63; rest >>= 7) this.buffer[this.length++] = (rest & 127) | 128;
    this.buffer[this.length++] = rest & 127;
  }

  append(bytes: ArrayLike<number>): this {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** What was written from one place up to another; a view, until more is written. */
  part(from = 0, to = this.length): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(from, to);
  }

  /** Makes room for so many bytes more. */
  private reserve(bytes: number): void {
    const { buffer, length } = this;
    if (length + bytes <= buffer.length) return;
    this.buffer = new Uint8Array(2 * (length + bytes));
    this.buffer.set(buffer);
  }
}

/** The body of a function while it is written. */
export class Code extends Bytes {
  readonly locals: Type[] = [];
  readonly parameters: number;

  constructor(parameters: number) {
    super();
    this.parameters = parameters;
  }

  /** A new local. */
  local(type: Type): number {
    return this.parameters + this.locals.push(type) - 1;
  }

  op(code: number, a = NONE, b = NONE, c = NONE): this {
    this.unsigned(code);
    if (a !== NONE) this.unsigned(a);
    if (b !== NONE) this.unsigned(b);
    if (c !== NONE) this.unsigned(c);
    return this;
  }

  simd(code: number, a = NONE, b = NONE, c = NONE): this {
    this.push(0xfd);
    return this.op(code, a, b, c);
  }

  /** Sixteen bytes of two vectors by their numbers. */
  shuffle(bytes: readonly number[]): this {
    return this.simd(SIMD.shuffle).append(bytes);
  }

  /** Writes once more what stands between two places. */
  again(from: number, to: number): this {
    return this.append(this.part(from, to));
  }

  get(local: number): this {
    return this.op(OP.get, local);
  }

  set(local: number): this {
    return this.op(OP.set, local);
  }

  integer(value: number): this {
    this.push(OP.integer);
    this.signed(value);
    return this;
  }

  /** Four lanes with these bits. */
  lanes(...bits: readonly [number] | readonly [number, number, number, number]): this {
    this.simd(SIMD.integers);
    for (let i = 0; i < 16; i++) this.push(((bits[i >> 2] ?? bits[0]) >> ((i & 3) << 3)) & 255);
    return this;
  }

  /** local += the integer */
  move(local: number, by: number): void {
    this.get(local).integer(by).op(OP.add).set(local);
  }

  /** Does `body` so often as the local says, which counts down to 0. */
  times(local: number, body: () => void): void {
    this.get(local).op(OP.when, EMPTY_BLOCK).op(OP.loop, EMPTY_BLOCK);
    body();
    this.get(local).integer(1).op(OP.sub).op(OP.tee, local).op(OP.brIf, 0).op(OP.end).op(OP.end);
  }

  /** Does `body`, and again while it leaves a condition on the stack that holds. */
  repeat(body: () => void): void {
    this.op(OP.loop, EMPTY_BLOCK);
    body();
    this.op(OP.brIf, 0).op(OP.end);
  }

  /** Pushes the smaller one of two, unsigned. */
  least(pushA: () => void, pushB: () => void): this {
    for (const push of [pushA, pushB, pushA, pushB]) push();
    return this.op(OP.lessUnsigned).op(OP.select);
  }

  /** Takes a condition from the stack. */
  choose(yes: () => void, no: () => void): void {
    this.op(OP.when, EMPTY_BLOCK);
    yes();
    this.op(OP.otherwise);
    no();
    this.op(OP.end);
  }
}

/** The module of these functions, of which those with the numbers in `exported` are exported by these. */
export function moduleOf(functions: readonly Code[], exported: readonly number[]): Uint8Array<ArrayBuffer> {
  const sections = [new Bytes(), new Bytes(), new Bytes(), new Bytes(), new Bytes()] as const;
  const [types, imports, indices, names, bodies] = sections;
  imports.append([1, ...nameOf("env"), ...nameOf("memory"), 2, 1, 1, 0x80, 0x80, MEMORY_PAGES >> 14]);
  for (const section of [types, indices, bodies]) section.unsigned(functions.length);
  functions.forEach((code, i) => {
    types.append([0x60, code.parameters, ...new Array(code.parameters).fill(I32), 0]);
    indices.unsigned(i);
    const locals = new Bytes();
    locals.unsigned(code.locals.length);
    for (const local of code.locals) locals.append([1, local]);
    bodies.unsigned(locals.length + code.length + 1);
    bodies.append(locals.part()).append(code.part()).push(OP.end);
  });
  names.unsigned(exported.length);
  for (const i of exported) {
    names.append([...nameOf(String(i)), 0]).unsigned(i);
  }
  const module = new Bytes();
  module.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  sections.forEach((section, i) => {
    module.push(SECTIONS[i] as number);
    module.unsigned(section.length);
    module.append(section.part());
  });
  return module.part();
}

/** The numbers of sections: types, imports, functions, exports, code. */
const SECTIONS = [1, 2, 3, 7, 10];

const nameOf = (text: string): number[] => [text.length, ...Array.from(text, (c) => c.charCodeAt(0))];
