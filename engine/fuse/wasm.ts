/**
 * WebAssembly as bytes: as much of the format as the loops of emit.ts need. The functions of a module take integers and work on
 * the memory that it imports.
 *
 * @see WebAssembly Core Specification 2.0, chapter 5: the binary format.
 */

/** Instructions of one byte, each a constant of its own, so that bundlers replace the name by its value. */
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

/** Instructions of vectors, behind the byte 0xfd, that loops use whatever they compute; lanes.ts has those that compute. */
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
/** In the place of an operand. */
const NONE = -1;

/** The body of a function while it is written. */
export class Code {
  readonly bytes: number[] = [];
  readonly locals: Type[] = [];
  readonly parameters: number;

  constructor(parameters: number) {
    this.parameters = parameters;
  }

  /** A new local. */
  local(type: Type): number {
    return this.parameters + this.locals.push(type) - 1;
  }

  op(code: number, a = NONE, b = NONE, c = NONE): this {
    unsigned(this.bytes, code);
    if (a !== NONE) unsigned(this.bytes, a);
    if (b !== NONE) unsigned(this.bytes, b);
    if (c !== NONE) unsigned(this.bytes, c);
    return this;
  }

  simd(code: number, a = NONE, b = NONE, c = NONE): this {
    this.bytes.push(0xfd);
    return this.op(code, a, b, c);
  }

  /** Sixteen bytes of two vectors by their numbers. */
  shuffle(bytes: readonly number[]): this {
    return this.simd(shuffle).append(bytes);
  }

  /** Writes once more the bytes between two places. */
  again(from: number, to: number): this {
    return this.append(this.bytes.slice(from, to));
  }

  private append(bytes: readonly number[]): this {
    // As arguments of one call, the bytes of a long step would be more than the stack holds.
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

  /** Four lanes with these bits. */
  lanes(...bits: readonly [number] | readonly [number, number, number, number]): this {
    this.simd(integers);
    for (let i = 0; i < 16; i++) this.bytes.push(((bits[i >> 2] ?? bits[0]) >> ((i & 3) << 3)) & 255);
    return this;
  }

  /** local += the integer */
  move(local: number, by: number): void {
    this.get(local).integer(by).op(add).set(local);
  }

  /** Does `body` so often as the local says, which counts down to 0. */
  times(local: number, body: () => void): void {
    this.get(local).op(when, EMPTY_BLOCK).op(loop, EMPTY_BLOCK);
    body();
    this.get(local).integer(1).op(sub).op(tee, local).op(brIf, 0).op(end).op(end);
  }

  /** Does `body`, and again while it leaves a condition on the stack that holds. */
  repeat(body: () => void): void {
    this.op(loop, EMPTY_BLOCK);
    body();
    this.op(brIf, 0).op(end);
  }

  /** Pushes the smaller one of two, unsigned. */
  least(pushA: () => void, pushB: () => void): this {
    for (const push of [pushA, pushB, pushA, pushB]) push();
    return this.op(lessUnsigned).op(select);
  }

  /** Takes a condition from the stack. */
  choose(yes: () => void, no: () => void): void {
    this.op(when, EMPTY_BLOCK);
    yes();
    this.op(otherwise);
    no();
    this.op(end);
  }
}

/** The module of these functions; functions with numbers in `exported` are exported by these. */
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

/** Seven bits a byte, the lowest first; all but the last have the highest bit set. */
function unsigned(to: number[], value: number): void {
  let rest = value >>> 0;
  for (; rest > 127; rest >>>= 7) to.push((rest & 127) | 128);
  to.push(rest);
}

/** The same, where the last byte's bit 6 is the sign. */
function signed(to: number[], value: number): void {
  let rest = value;
  for (; rest < -64 || rest > 63; rest >>= 7) to.push((rest & 127) | 128);
  to.push(rest & 127);
}
