/**
 * Encodes WebAssembly, as far as emit.ts needs it. A module's functions accept integers and work on an imported memory.
 *
 * @see WebAssembly Core Specification 2.0, chapter 5: the binary format.
 */

/** One-byte instructions. They are separate constants, so bundlers can replace each name by its value. */
const loop = 0x03;
const when = 0x04;
const otherwise = 0x05;
const end = 0x0b;
const brIf = 0x0d;
export const call = 0x10;
const select = 0x1b;
const get = 0x20;
const set = 0x21;
export const tee = 0x22;
export const load = 0x28;
export const store = 0x36;
export const store16 = 0x3b;
const integer = 0x41;
export const lessUnsigned = 0x49;
export const add = 0x6a;
export const sub = 0x6b;
export const mul = 0x6c;
export const divUnsigned = 0x6e;
export const and = 0x71;
export const or = 0x72;
export const shl = 0x74;
export const shrU = 0x76;

/** Vector instructions (after the byte 0xfd) that all loops use; lanes.ts has those that compute. */
export const loadVector = 0;
export const loadSplat = 9;
export const storeVector = 11;
const integers = 12;
const shuffle = 13;
export const splat = 17;
export const equalIntegers = 55;
export const both = 78;
export const loadLane = 86;
export const storeLane = 90;
export const loadZero = 92;
export const promote = 95;
export const bitmask8 = 100;
export const narrow16 = 101;
export const narrow32 = 133;
export const bitmask32 = 164;
export const addDouble = 240;

export const I32 = 0x7f;
export const V128 = 0x7b;
type Type = typeof I32 | typeof V128;

const MEMORY_PAGES = 65536;
const EMPTY_BLOCK = 0x40;
/** Stands for a missing operand. */
const NONE = -1;

/** The body of a function under construction. */
export class Code {
  readonly bytes: number[] = [];
  readonly locals: Type[] = [];
  readonly parameters: number;

  constructor(parameters: number) {
    this.parameters = parameters;
  }

  /** Adds a local. */
  local(type: Type): number {
    return this.parameters + this.locals.push(type) - 1;
  }

  op(code: number, a = NONE, b = NONE, c = NONE): this {
    const { bytes } = this;
    if (code < 128 && a < 128 && b < 128 && c < 128) {
      // Nearly all numbers are one byte; a call would take longer than everything else here.
      bytes.push(code);
      if (a !== NONE) bytes.push(a);
      if (b !== NONE) bytes.push(b);
      if (c !== NONE) bytes.push(c);
      return this;
    }
    for (const x of [code, a, b, c]) if (x !== NONE) unsigned(bytes, x);
    return this;
  }

  simd(code: number, a = NONE, b = NONE, c = NONE): this {
    this.bytes.push(0xfd);
    return this.op(code, a, b, c);
  }

  /** Selects sixteen bytes of two vectors by index. */
  shuffle(bytes: readonly number[]): this {
    return this.simd(shuffle).append(bytes);
  }

  /** Appends a copy of the bytes between two positions. */
  again(from: number, to: number): this {
    return this.append(this.bytes.slice(from, to));
  }

  private append(bytes: readonly number[]): this {
    // No spread into one call: the bytes of a long step would overflow the stack.
    for (let i = 0; i < bytes.length; i++) this.bytes.push(bytes[i] as number);
    return this;
  }

  get(local: number): this {
    return this.op(get, local);
  }

  set(local: number): this {
    return this.op(set, local);
  }

  integer(value: number): this {
    this.bytes.push(integer);
    signed(this.bytes, value);
    return this;
  }

  /** Pushes four lanes with these bits. */
  lanes(...bits: readonly [number] | readonly [number, number, number, number]): this {
    this.simd(integers);
    for (let i = 0; i < 16; i++) this.bytes.push(((bits[i >> 2] ?? bits[0]) >> ((i & 3) << 3)) & 255);
    return this;
  }

  /** local += the integer */
  move(local: number, by: number): void {
    this.get(local).integer(by).op(add).set(local);
  }

  /** Runs `body` as often as the local says; the local counts down to 0. */
  times(local: number, body: () => void): void {
    this.get(local).op(when, EMPTY_BLOCK).op(loop, EMPTY_BLOCK);
    body();
    this.get(local).integer(1).op(sub).op(tee, local).op(brIf, 0).op(end).op(end);
  }

  /** Repeats `body` while the condition that it leaves on the stack is true. */
  repeat(body: () => void): void {
    this.op(loop, EMPTY_BLOCK);
    body();
    this.op(brIf, 0).op(end);
  }

  /** Pushes the smaller of two values, unsigned. */
  least(pushA: () => void, pushB: () => void): this {
    for (const push of [pushA, pushB, pushA, pushB]) push();
    return this.op(lessUnsigned).op(select);
  }

  /** Branches on a condition from the stack. */
  choose(yes: () => void, no: () => void): void {
    this.op(when, EMPTY_BLOCK);
    yes();
    this.op(otherwise);
    no();
    this.op(end);
  }
}

/** The module of these functions; it exports those with numbers in `exported`. */
export function encodeModule(functions: readonly Code[], exported: readonly number[]): Uint8Array<ArrayBuffer> {
  const [types, indices, count, names] = [functions, functions, functions, exported].map(({ length }) => {
    const list: number[] = [];
    unsigned(list, length);
    return list;
  }) as [number[], number[], number[], number[]];
  const bodies: number[][] = [count];
  functions.forEach(({ parameters, locals, bytes }, i) => {
    types.push(0x60, parameters, ...new Array(parameters).fill(I32), 0);
    unsigned(indices, i);
    const declared: number[] = [];
    unsigned(declared, locals.length);
    for (const local of locals) declared.push(1, local);
    const size: number[] = [];
    unsigned(size, declared.length + bytes.length + 1);
    bodies.push(size, declared, bytes, [end]);
  });
  for (const i of exported) {
    names.push(...name(String(i)), 0);
    unsigned(names, i);
  }
  const limits = [1, 1, 0x80, 0x80, MEMORY_PAGES >> 14];
  const parts = [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [types]),
    ...section(2, [[1, ...name("env"), ...name("memory"), 2, ...limits]]),
    ...section(3, [indices]),
    ...section(7, [names]),
    ...section(10, bodies),
  ];
  const module = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    module.set(part, at);
    at += part.length;
  }
  return module;
}

function section(id: number, parts: number[][]): number[][] {
  const head = [id];
  unsigned(head, lengthOf(parts));
  return [head, ...parts];
}

const lengthOf = (parts: readonly number[][]): number => parts.reduce((sum, part) => sum + part.length, 0);

const name = (text: string): number[] => [text.length, ...Array.from(text, (c) => c.charCodeAt(0))];

/** Unsigned LEB128: seven bits per byte, lowest first; every byte but the last has its highest bit set. */
function unsigned(to: number[], value: number): void {
  let rest = value >>> 0;
  for (; rest > 127; rest >>>= 7) to.push((rest & 127) | 128);
  to.push(rest);
}

/** Signed LEB128: bit 6 of the last byte is the sign. */
function signed(to: number[], value: number): void {
  let rest = value;
  for (; rest < -64 || rest > 63; rest >>= 7) to.push((rest & 127) | 128);
  to.push(rest & 127);
}
