/**
 * Memory of tensors: a heap over one address space, made of two allocators.
 *
 *   blocks   persistent: parameters, their gradients, optimizer state, whatever a caller owns.
 *            A block lives until it is released; free blocks are listed by size class.
 *   arena    tensors and saved blocks of a tape: a pointer advances over chunks, and is reset when the tape ends.
 *            Buffers that backward has consumed are listed by size class, and the same tape uses them again.
 *
 * Both allocate at the top of the space, which grows on demand; the topmost arena chunk grows in place. When the space
 * cannot grow, `gather` joins free memory of all size classes into spans, except the unused ends of small chunks.
 * Addresses are plain numbers. Typed-array views are never stored, because growth detaches them.
 */
import { heapBase, memory } from "./wasm.ts";

/** Bytes of linear memory. */
export interface MemoryStats {
  /** In use now. */
  live: number;
  /** The most in use since the last `resetPeak`. */
  peak: number;
  /** Obtained from the platform, used or free; never shrinks. */
  reserved: number;
}

/** The memory that a heap manages: linear memory here, the float64 cells of the reference kernels in `gradcheck`. */
export interface Space {
  /** First usable address, and the first address beyond the largest size of the space. */
  readonly start: number;
  readonly limit: number;
  /** Makes every address below `end` usable; returns false if the platform refuses. */
  reserve(end: number): boolean;
  /** View of n numbers, starting at address p. */
  view(p: number, n: number): Float32Array | Float64Array;
  /** Bytes that the space holds now. */
  reserved(): number;
}

const PAGE = 65536;

export const linearMemory: Space = {
  start: heapBase,
  // The last page is never used: kernels compare with the address after their data, which must not wrap to 0.
  limit: 2 ** 32 - PAGE,
  reserve(end) {
    const missing = end - memory.buffer.byteLength;
    if (missing <= 0) return true;
    try {
      memory.grow(Math.ceil(missing / PAGE));
      return true;
    } catch {
      return false;
    }
  },
  view: (p, n) => new Float32Array(memory.buffer, p, n),
  reserved: () => memory.buffer.byteLength,
};

/** Bytes of the largest block, since addresses have 32 bits. */
const LARGEST = 2 ** 32;

/*
 * Size classes: multiples of 16 up to 128 bytes, then eight steps an octave (at most 12.5 % is wasted).
 *   class 1…8: 16, 32, …, 128    9…16: 144, 160, …, 256    17…24: 288, 320, …, 512    …
 */
function classOf(bytes: number): number {
  if (bytes <= 128) return bytes <= 16 ? 1 : (bytes + 15) >>> 4;
  // The arithmetic below has 32 bits: a larger size would get the class of a small block.
  if (bytes > LARGEST) throw new RangeError(`out of memory: asked for ${bytes} bytes, the limit is ${LARGEST}`);
  const octave = 31 - Math.clz32(bytes - 1);
  return (octave - 7) * 8 + ((bytes - 1) >>> (octave - 3)) + 1;
}

function bytesOf(sizeClass: number): number {
  if (sizeClass <= 8) return sizeClass * 16;
  const octave = ((sizeClass - 9) >>> 3) + 7;
  return (((sizeClass - 9) & 7) + 9) * (1 << (octave - 3));
}

const CLASSES = classOf(LARGEST) + 1;
/**
 * Bytes of each size class. Class 0 has null: a list of numbers only would store doubles, and every read would make an
 * object.
 */
const SIZES: readonly (number | null)[] = Array.from({ length: CLASSES }, (_, c) => (c === 0 ? null : bytesOf(c)));
/** Bytes of a cache line. Blocks of at least `LINED` bytes are whole lines, and begin at a line if there is room. */
const LINE = 64;
const LINED = 512;

/** The first multiple of a cache line that is ≥ p. */
const lineFrom = (p: number): number => p + (-p & (LINE - 1));

/** Bytes of the longest descriptor (convolutions), rounded up to whole lines. */
const DESCRIPTOR = 320;

const SMALL_CHUNK = 65536;
const ARENA_CHUNK = 262144;

/** The arena's state at the start of a tape, and the freed buffers of this tape. */
export class Mark {
  chunk = 0;
  top = 0;
  bytes = 0;
  /**
   * Freed buffers by size class. Only the first `counts[c]` entries of list c are valid; the others are leftovers,
   * which later tapes overwrite.
   */
  readonly recycled: number[][] = Array.from({ length: CLASSES }, () => []);
  readonly counts: Int32Array = new Int32Array(CLASSES);
  /** No class ≥ `used` has freed buffers. Most tapes free few sizes. */
  used = 0;
}

interface Span {
  start: number;
  end: number;
}

export class Heap {
  live = 0;
  peak = 0;
  /** Address of a block for a descriptor. */
  readonly descriptor: number;
  private readonly space: Space;
  private top: number;
  private readonly free: number[][] = [];
  /** Free spans that `gather` found and no allocation has used yet. */
  private spans: Span[] = [];
  private smallTop = 0;
  private smallEnd = 0;
  private readonly chunks: Span[] = [];
  private chunk = -1;
  private arenaTop = 0;
  private arenaEnd = 0;

  constructor(space: Space) {
    this.space = space;
    this.descriptor = lineFrom(space.start);
    this.top = this.descriptor + DESCRIPTOR;
    for (let c = 0; c < CLASSES; c++) this.free.push([]);
  }

  view(p: number, n: number): Float32Array | Float64Array {
    return this.space.view(p, n);
  }

  stats(): MemoryStats {
    return { live: this.live, peak: this.peak, reserved: this.space.reserved() };
  }

  resetPeak(): void {
    this.peak = this.live;
  }

  /** A persistent block. */
  allocate(bytes: number): number {
    const sizeClass = classOf(bytes);
    const size = SIZES[sizeClass] as number;
    const p = (this.free[sizeClass] as number[]).pop() ?? this.carve(size);
    this.count(size);
    return p;
  }

  release(p: number, bytes: number): void {
    const sizeClass = classOf(bytes);
    (this.free[sizeClass] as number[]).push(p);
    this.live -= SIZES[sizeClass] as number;
  }

  /** Stores the arena's current position in `mark`. */
  mark(mark: Mark): void {
    mark.chunk = this.chunk;
    mark.top = this.arenaTop;
    mark.bytes = 0;
  }

  /** Resets the arena to `mark`, which frees everything allocated since. */
  rewind(mark: Mark): void {
    this.chunk = mark.chunk;
    this.arenaTop = mark.top;
    this.arenaEnd = mark.chunk < 0 ? 0 : (this.chunks[mark.chunk] as Span).end;
    this.live -= mark.bytes;
    for (let c = 0; c < mark.used; c++) mark.counts[c] = 0;
    mark.used = 0;
  }

  /** A buffer that lives until the arena is reset to `mark`. */
  arenaAllocate(bytes: number, mark: Mark): number {
    const sizeClass = classOf(bytes);
    const size = SIZES[sizeClass] as number;
    const count = mark.counts[sizeClass] as number;
    let p = 0;
    if (count > 0) {
      p = (mark.recycled[sizeClass] as number[])[count - 1] as number;
      mark.counts[sizeClass] = count - 1;
    } else {
      if (size >= LINED) this.arenaTop = Math.min(this.arenaTop + (-this.arenaTop & (LINE - 1)), this.arenaEnd);
      if (this.arenaTop + size > this.arenaEnd) this.advance(size);
      p = this.arenaTop;
      this.arenaTop += size;
    }
    mark.bytes += size;
    this.live += size;
    if (this.live > this.peak) this.peak = this.live;
    return p;
  }

  /** Frees a buffer of the arena before its tape ends. */
  recycle(p: number, bytes: number, mark: Mark): void {
    const sizeClass = classOf(bytes);
    const count = mark.counts[sizeClass] as number;
    (mark.recycled[sizeClass] as number[])[count] = p;
    mark.counts[sizeClass] = count + 1;
    if (sizeClass >= mark.used) mark.used = sizeClass + 1;
    const size = SIZES[sizeClass] as number;
    mark.bytes -= size;
    this.live -= size;
  }

  private count(size: number): void {
    this.live += size;
    if (this.live > this.peak) this.peak = this.live;
  }

  private carve(size: number): number {
    if (size > SMALL_CHUNK / 4) return this.take(size);
    let p = size < LINED ? this.smallTop : lineFrom(this.smallTop);
    if (p + size > this.smallEnd) {
      p = this.room(SMALL_CHUNK);
      if (p === 0) return this.take(size);
      this.smallEnd = p + SMALL_CHUNK;
    } else if (p > this.smallTop) (this.free[classOf(p - this.smallTop)] as number[]).push(this.smallTop);
    this.smallTop = p + size;
    return p;
  }

  private take(size: number): number {
    let p = this.room(size);
    if (p === 0) {
      this.gather();
      p = this.room(size);
    }
    return p === 0 ? this.fail(size) : p;
  }

  /** Advances the arena's pointer, to a chunk with room for `size` bytes. */
  private advance(size: number): void {
    if (this.nextChunk(size)) return;
    this.gather();
    if (!this.nextChunk(size)) this.fail(size);
  }

  /** Chooses a later chunk that fits, else grows the topmost one, else adds a chunk. */
  private nextChunk(size: number): boolean {
    for (let c = this.chunk + 1; c < this.chunks.length; c++) {
      const { start, end } = this.chunks[c] as Span;
      if (end - start >= size) return this.enter(c, start);
    }
    const last = this.chunks.length - 1;
    const tail = this.chunks[last];
    if (tail !== undefined && tail.end === this.top) {
      const used = this.chunk === last ? this.arenaTop : tail.start;
      if (this.extend(Math.max(used + size, tail.end + ARENA_CHUNK)) || this.extend(used + size)) {
        tail.end = this.top;
        return this.enter(last, used);
      }
    }
    let length = Math.max(size, ARENA_CHUNK);
    let start = this.room(length);
    if (start === 0) {
      length = size;
      start = this.room(length);
    }
    if (start === 0) return false;
    this.chunks.push({ start, end: start + length });
    return this.enter(last + 1, start);
  }

  private enter(chunk: number, top: number): true {
    this.chunk = chunk;
    this.arenaTop = top;
    this.arenaEnd = (this.chunks[chunk] as Span).end;
    return true;
  }

  /** Address of `size` free bytes in a span or at the top, or 0 if there are none. */
  private room(size: number): number {
    for (const span of this.spans) {
      const p = span.start;
      if (span.end - p < size) continue;
      span.start += size;
      return p;
    }
    const p = this.top;
    return this.extend(p + size) ? p : 0;
  }

  private extend(end: number): boolean {
    if (end > this.space.limit || !this.space.reserve(end)) return false;
    this.top = end;
    return true;
  }

  /** Turns all free memory into spans: released blocks, unused ends of chunks, and the unused part of the arena. */
  private gather(): void {
    const spans = [...this.spans, { start: this.smallTop, end: this.smallEnd }, ...this.chunks.splice(this.chunk + 1)];
    this.smallTop = 0;
    this.smallEnd = 0;
    const current = this.chunks[this.chunk];
    if (current !== undefined) {
      spans.push({ start: this.arenaTop, end: current.end });
      current.end = this.arenaTop;
      this.arenaEnd = this.arenaTop;
    }
    this.free.forEach((list, sizeClass) => {
      const size = bytesOf(sizeClass);
      for (const p of list) spans.push({ start: p, end: p + size });
      list.length = 0;
    });
    let last: Span = { start: 0, end: 0 };
    this.spans = [];
    for (const span of spans.sort((a, b) => a.start - b.start)) {
      if (span.start === span.end) continue;
      if (span.start === last.end) {
        last.end = span.end;
      } else {
        this.spans.push(span);
        last = span;
      }
    }
    if (last.end !== this.top) return;
    this.top = last.start;
    this.spans.pop();
  }

  private fail(size: number): never {
    const { start, limit } = this.space;
    const granted = this.top + size > limit ? limit - start : this.space.reserved();
    throw new RangeError(
      `out of memory: asked for ${size} bytes with ${this.live} live, the limit is ${granted}; ` +
        "tape() and noGrad() free what is made in them, dispose() a result that is not needed any more",
    );
  }
}

/** The heap of the SIMD kernels. */
export const wasmHeap = new Heap(linearMemory);
