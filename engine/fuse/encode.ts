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
    return this.simd(SIMD.shuffle).append(bytes);
  }

  /** Writes once more what stands between two places. */
  again(from: number, to: number): this {
    return this.append(this.bytes.slice(from, to));
  }

  private append(bytes: readonly number[]): this {
    // As arguments of one call, the bytes of a long step would be more than the stack holds.
    for (let i = 0; i < bytes.length; i++) this.bytes.push(bytes[i] as number);
    return this;
  }

  get(local: number): this {
    return this.op(OP.get, local);
  }

  set(local: number): this {
    return this.op(OP.set, local);
  }

  integer(value: number): this {
    this.bytes.push(OP.integer);
    signed(this.bytes, value);
    return this;
  }

  /** Four lanes with these bits. */
  lanes(...bits: readonly [number] | readonly [number, number, number, number]): this {
    this.simd(SIMD.integers);
    for (let i = 0; i < 16; i++) this.bytes.push(((bits[i >> 2] ?? bits[0]) >> ((i & 3) << 3)) & 255);
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
    bodies.push(size, declared, bytes, [OP.end]);
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
