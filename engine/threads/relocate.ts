/**
 * Copies kernel modules for threads. A copy imports shared memory, and has separate constants and workspaces at higher
 * addresses. The build lists where addresses are in the code (scripts/relocations.mjs).
 */

/** Ids of sections in a WebAssembly module, and the opcode of a constant. */
const IMPORTS = 2;
const GLOBALS = 6;
const CODE = 10;
const DATA = 11;
const I32_CONST = 0x41;
/** Flags of an imported memory with a maximum: unshared and shared. */
const SHARED = 3;

/** Reads and writes the LEB128 numbers of a module. */
class Module {
  private readonly bytes: Uint8Array;
  at = 0;
  readonly out: number[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    return this.bytes[this.at++] as number;
  }

  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  /** Id and end of the section at `at`. */
  next(at: number): { readonly id: number; readonly end: number } {
    this.at = at;
    return { id: this.byte(), end: this.number() + this.at };
  }

  /** The bytes that were copied since the last call. */
  taken(): number[] {
    return this.out.splice(0);
  }

  /** Copies bytes up to `end`. */
  copy(end: number): void {
    const { bytes, out } = this;
    for (; this.at < end; this.at++) out.push(bytes[this.at] as number);
  }

  /** Copies an address, a positive signed number, increased by `distance`. */
  move(distance: number): void {
    const address = this.number() + distance;
    let rest = address;
    for (; rest >= 64; rest = Math.floor(rest / 128)) this.out.push((rest % 128) | 128);
    this.out.push(rest);
  }
}

function writeNumber(out: number[], value: number): void {
  let rest = value;
  for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128);
  out.push(rest);
}

/** Writes the length of a part, then the part. */
function writePart(out: number[], part: readonly number[]): void {
  writeNumber(out, part.length);
  for (const byte of part) out.push(byte);
}

/** A copy of the module that imports shared memory; one byte differs. */
export function overShared(bytes: Uint8Array): Uint8Array {
  const module = new Module(bytes);
  let section = module.next(8);
  while (section.id !== IMPORTS) section = module.next(section.end);
  const copy = bytes.slice();
  copy[flagsAt(bytes, section.end)] = SHARED;
  return copy;
}

/**
 * A copy of the module that imports shared memory, with all constants `distance` bytes higher. `places` lists where
 * addresses are in the code: each character code is the distance from the previous address.
 */
export function relocated(bytes: Uint8Array, places: string, distance: number): Uint8Array {
  const module = new Module(overShared(bytes));
  module.copy(8);
  const out = module.taken();
  let next = 0;
  let place = places.charCodeAt(0);
  const moveUpTo = (end: number): void => {
    while (next < places.length && place < end) {
      module.copy(place);
      module.move(distance);
      next++;
      place += places.charCodeAt(next);
    }
    module.copy(end);
  };
  while (!module.isAtEnd) {
    const { id, end } = module.next(module.at);
    const section: number[] = [];
    const isList = id === CODE || id === DATA;
    const count = isList ? module.number() : 0;
    if (isList) writeNumber(section, count);
    for (let i = 0; i < count; i++) {
      if (id === CODE) {
        moveUpTo(module.number() + module.at);
        writePart(section, module.taken());
        continue;
      }
      // A segment of memory 0, whose address is a constant.
      module.copy(module.at + 1);
      if (module.byte() !== I32_CONST) throw new Error("threads: expected constants at a constant address");
      module.out.push(I32_CONST);
      module.move(distance);
      module.copy(module.at + 1);
      const start = module.at;
      const length = module.number();
      const behind = module.at + length;
      module.at = start;
      module.copy(behind);
    }
    if (id === GLOBALS) moveUpTo(end);
    else module.copy(end);
    for (const byte of module.taken()) section.push(byte);
    out.push(id);
    writePart(out, section);
  }
  return Uint8Array.from(out);
}

/** Position of the flags byte of the section's last import, the memory; two numbers follow it. */
function flagsAt(bytes: Uint8Array, end: number): number {
  let at = end - 1;
  for (let numbers = 2; numbers > 0; at--) {
    // A byte below 128 ends a number: all other bytes of a number have the highest bit set.
    if ((bytes[at - 1] as number) < 128) numbers--;
  }
  return at;
}
