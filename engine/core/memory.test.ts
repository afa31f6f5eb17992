import { expect, test } from "vitest";
import { numbers } from "../../test/support/sides.ts";
import { Heap, linearMemory, Mark, type Space } from "./memory.ts";

const START = 40;
const KB = 1024;

/** Addresses without memory. `capacity` is where the platform refuses to grow. */
class FakeSpace implements Space {
  readonly start = START;
  readonly limit: number;
  readonly capacity: number;
  end = START;

  constructor({ limit = 2 ** 40, capacity = 2 ** 40 } = {}) {
    this.limit = limit;
    this.capacity = capacity;
  }

  reserve(end: number): boolean {
    if (end > this.capacity) return false;
    this.end = Math.max(this.end, end);
    return true;
  }

  view(): never {
    throw new Error("there is no memory here");
  }

  reserved(): number {
    return this.end - this.start;
  }
}

/** Number of bytes that the heap allocates for a request. */
function sizeFor(bytes: number): number {
  const heap = new Heap(new FakeSpace());
  heap.allocate(bytes);
  return heap.live;
}

/** Requests around every class boundary of the first 24 octaves, and the largest ones. */
function requests(): number[] {
  const sizes = new Set<number>([0, 2 ** 32 - 1, 2 ** 32]);
  for (let octave = 4; octave < 28; octave++) {
    for (let eighth = 8; eighth < 16; eighth++) {
      for (const off of [-1, 0, 1]) sizes.add((2 ** octave * eighth) / 8 + off);
    }
  }
  return [...sizes].filter(Number.isInteger).sort((a, b) => a - b);
}

/** Throws if two of the pieces [address, bytes] share a byte. */
function checkDisjoint(pieces: Iterable<readonly [number, number]>): void {
  const sorted = [...pieces].sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < sorted.length; i++) {
    const [before, bytes] = sorted[i - 1] as [number, number];
    const [p] = sorted[i] as [number, number];
    if (before + bytes > p) expect.fail(`${bytes} bytes at ${before} reach into the block at ${p}`);
  }
}

test("size classes: a request gets at least its bytes and wastes at most an eighth, or 15 bytes when small", () => {
  for (const bytes of requests()) {
    const size = sizeFor(bytes);
    expect(size, `for ${bytes}`).toBeGreaterThanOrEqual(Math.max(bytes, 16));
    expect(size, `for ${bytes}`).toBeLessThanOrEqual(Math.max(bytes + Math.max(15, bytes / 8), 16));
  }
});

test("size classes: they grow with the request, and the size of a class belongs to the class", () => {
  let last = 0;
  for (const bytes of requests()) {
    const size = sizeFor(bytes);
    expect(size, `for ${bytes}`).toBeGreaterThanOrEqual(last);
    expect(sizeFor(size), `for ${size}`).toBe(size);
    last = size;
  }
});

test("blocks: they are aligned to 16 bytes and lie in the space", () => {
  const space = new FakeSpace();
  const heap = new Heap(space);
  for (const bytes of [0, 1, 4, 20, 129, 300, 5000, 70_000, 1_000_000]) {
    const p = heap.allocate(bytes);
    expect(p % 16, `for ${bytes}`).toBe(0);
    expect(p).toBeGreaterThanOrEqual(space.start);
    expect(p + bytes).toBeLessThanOrEqual(space.end);
  }
});

test("blocks: a released one serves the next request of its class, the last released first", () => {
  const heap = new Heap(new FakeSpace());
  const first = heap.allocate(100);
  const second = heap.allocate(100);
  heap.release(first, 100);
  heap.release(second, 100);
  expect(heap.allocate(97)).toBe(second);
  expect(heap.allocate(112)).toBe(first);
});

test("blocks: a released one does not serve another class", () => {
  const heap = new Heap(new FakeSpace());
  const p = heap.allocate(100);
  heap.release(p, 100);
  expect(heap.allocate(113)).not.toBe(p);
  expect(heap.allocate(96)).not.toBe(p);
});

test("blocks: a thousand small ones take little more room than their sizes", () => {
  const space = new FakeSpace();
  const heap = new Heap(space);
  for (let i = 0; i < 1000; i++) heap.allocate(64);
  expect(space.reserved()).toBeLessThan(64_000 + 65 * KB);
});

test("blocks: allocating and releasing in turns needs no more room after the first turn", () => {
  const space = new FakeSpace();
  const heap = new Heap(space);
  const sizes = [16, 100, 1000, 40_000, 100_000];
  const turn = () => {
    const blocks = sizes.map((bytes) => [heap.allocate(bytes), bytes] as const);
    for (const [p, bytes] of blocks) heap.release(p, bytes);
  };
  turn();
  const reserved = space.reserved();
  for (let i = 0; i < 50; i++) turn();
  expect(space.reserved()).toBe(reserved);
  expect(heap.live).toBe(0);
});

test("stats: live counts whole classes, peak remembers the most, resetPeak starts anew", () => {
  const heap = new Heap(new FakeSpace());
  const a = heap.allocate(1000);
  const b = heap.allocate(1000);
  expect(heap.stats().live).toBe(2048);
  heap.release(a, 1000);
  expect(heap.stats()).toMatchObject({ live: 1024, peak: 2048 });
  heap.resetPeak();
  expect(heap.stats()).toMatchObject({ live: 1024, peak: 1024 });
  heap.release(b, 1000);
  expect(heap.stats()).toMatchObject({ live: 0, peak: 1024 });
});

test("arena: rewinding gives back everything since the mark, and the same addresses come again", () => {
  const heap = new Heap(new FakeSpace());
  const mark = new Mark();
  const run = () => {
    heap.mark(mark);
    const places = [100, 5000, 300_000, 16].map((bytes) => heap.arenaAllocate(bytes, mark));
    heap.rewind(mark);
    return places;
  };
  const block = heap.allocate(100);
  const { live } = heap;
  const places = run();
  expect(heap.live).toBe(live);
  expect(run()).toEqual(places);
  expect(places).not.toContain(block);
});

test("arena: an inner mark gives back only its own", () => {
  const heap = new Heap(new FakeSpace());
  const outer = new Mark();
  const inner = new Mark();
  heap.mark(outer);
  const kept = heap.arenaAllocate(1000, outer);
  heap.mark(inner);
  const lost = heap.arenaAllocate(1000, inner);
  heap.rewind(inner);
  expect(heap.live).toBe(1024);
  expect(heap.arenaAllocate(1000, outer)).toBe(lost);
  expect(kept).not.toBe(lost);
  heap.rewind(outer);
  expect(heap.live).toBe(0);
});

test("arena: a recycled buffer serves the next request of its class", () => {
  const heap = new Heap(new FakeSpace());
  const mark = new Mark();
  heap.mark(mark);
  const p = heap.arenaAllocate(1000, mark);
  const q = heap.arenaAllocate(1000, mark);
  heap.recycle(p, 1000, mark);
  expect(heap.live).toBe(1024);
  expect(heap.arenaAllocate(500, mark)).not.toBe(p);
  expect(heap.arenaAllocate(1000, mark)).toBe(p);
  expect(heap.arenaAllocate(1000, mark)).not.toBe(q);
  heap.rewind(mark);
  expect(heap.live).toBe(0);
});

test("arena: what was recycled is forgotten at the rewind, so that no byte is given out twice", () => {
  const heap = new Heap(new FakeSpace());
  const mark = new Mark();
  heap.mark(mark);
  heap.recycle(heap.arenaAllocate(1000, mark), 1000, mark);
  heap.rewind(mark);
  heap.mark(mark);
  const places = Array.from({ length: 4 }, () => heap.arenaAllocate(1000, mark));
  checkDisjoint(places.map((p) => [p, 1000]));
});

test("arena: the topmost chunk grows in place, so that a long run of requests leaves no holes", () => {
  const space = new FakeSpace();
  const heap = new Heap(space);
  const mark = new Mark();
  heap.mark(mark);
  let end = heap.arenaAllocate(128 * KB, mark) + 128 * KB;
  for (let i = 0; i < 20; i++) {
    const p = heap.arenaAllocate(128 * KB, mark);
    expect(p).toBe(end);
    end = p + 128 * KB;
  }
});

test("arena: repeating the same work needs no more room after the first time, also with blocks in between", () => {
  const space = new FakeSpace();
  const heap = new Heap(space);
  const mark = new Mark();
  const work = () => {
    heap.mark(mark);
    heap.arenaAllocate(200 * KB, mark);
    const block = heap.allocate(100 * KB); // it is on top, so the arena continues in another chunk
    heap.arenaAllocate(200 * KB, mark);
    heap.arenaAllocate(600 * KB, mark);
    heap.rewind(mark);
    heap.release(block, 100 * KB);
  };
  work();
  const reserved = space.reserved();
  for (let i = 0; i < 20; i++) work();
  expect(space.reserved()).toBe(reserved);
});

test.each([
  ["with all the room it wants", 2 ** 40],
  ["with room for a part of them", 1_200_000],
])("heap: no two living pieces overlap through thousands of random requests, %s", (_how, limit) => {
  const heap = new Heap(new FakeSpace({ limit }));
  const random = numbers(12_000, 7, 0, 1);
  let at = 0;
  const next = () => random[at++] as number;
  const anySize = () => Math.floor(2 ** (2 + 17 * next()));
  const blocks: [number, number][] = [];
  const levels: { mark: Mark; buffers: [number, number][] }[] = [];
  let refused = 0;
  const request = (list: [number, number][], bytes: number, allocate: () => number) => {
    const { live } = heap;
    try {
      list.push([allocate(), bytes]);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      expect(heap.live).toBe(live);
      refused++;
    }
  };
  for (let round = 0; round < 2000; round++) {
    const level = levels[levels.length - 1];
    const what = next();
    const bytes = anySize();
    if (what < 0.3) request(blocks, bytes, () => heap.allocate(bytes));
    else if (what < 0.45 && blocks.length > 0) {
      const [[p, size]] = blocks.splice(Math.floor(next() * blocks.length), 1) as [[number, number]];
      heap.release(p, size);
    } else if (what < 0.55 && levels.length < 4) {
      const mark = new Mark();
      heap.mark(mark);
      levels.push({ mark, buffers: [] });
    } else if (what < 0.85 && level !== undefined)
      request(level.buffers, bytes, () => heap.arenaAllocate(bytes, level.mark));
    else if (what < 0.95 && level !== undefined && level.buffers.length > 0) {
      const [[p, size]] = level.buffers.splice(Math.floor(next() * level.buffers.length), 1) as [[number, number]];
      heap.recycle(p, size, level.mark);
    } else if (level !== undefined) {
      heap.rewind(level.mark);
      levels.pop();
    }
    if (round % 20 === 0) checkDisjoint([...blocks, ...levels.flatMap(({ buffers }) => buffers)]);
  }
  expect(refused > 20).toBe(limit < 2 ** 40);
  for (let level = levels.pop(); level !== undefined; level = levels.pop()) heap.rewind(level.mark);
  for (const [p, bytes] of blocks) heap.release(p, bytes);
  expect(heap.live).toBe(0);
  // All of it can be allocated again, as one piece.
  if (refused > 0) heap.allocate(2 ** 20);
});

test("gather: released neighbours of any size serve a request that finds no other room", () => {
  const heap = new Heap(new FakeSpace({ limit: START + 1025 * KB }));
  const sizes = [96 * KB, 192 * KB, 288 * KB, 32 * KB, 384 * KB];
  const blocks = sizes.map((bytes) => heap.allocate(bytes));
  const give = (i: number) => heap.release(blocks[i] as number, sizes[i] as number);
  for (const i of [2, 0, 1]) give(i);
  expect(heap.allocate(576 * KB)).toBe(blocks[0]);
  expect(() => heap.allocate(128 * KB)).toThrow(RangeError);
  give(4);
  // The block at the top was freed, so there is room at the top again.
  expect(heap.allocate(416 * KB)).toBe(blocks[4]);
});

test("gather: a thousand small blocks that were released make room for a large one", () => {
  const heap = new Heap(new FakeSpace({ limit: START + 128 * KB }));
  const blocks = Array.from({ length: 1000 }, () => heap.allocate(100));
  for (const p of blocks) heap.release(p, 100);
  expect(heap.allocate(112 * KB)).toBeGreaterThan(0);
});

test("gather: blocks get what an ended tape has left, and tapes get released blocks", () => {
  const heap = new Heap(new FakeSpace({ limit: START + 1100 * KB }));
  const mark = new Mark();
  heap.mark(mark);
  heap.arenaAllocate(896 * KB, mark);
  heap.rewind(mark);
  const block = heap.allocate(896 * KB);
  heap.release(block, 896 * KB);
  heap.mark(mark);
  expect(heap.arenaAllocate(1024 * KB, mark)).toBe(block);
  heap.rewind(mark);
});

test("gather: a running tape keeps what it has and gives the rest of its chunk", () => {
  const heap = new Heap(new FakeSpace({ limit: START + 1100 * KB }));
  const [outer, inner] = [new Mark(), new Mark()];
  heap.mark(outer);
  const mine = heap.arenaAllocate(100 * KB, outer);
  heap.mark(inner);
  heap.arenaAllocate(700 * KB, inner);
  heap.rewind(inner);
  const block = heap.allocate(640 * KB);
  const more = heap.arenaAllocate(200 * KB, outer);
  checkDisjoint([
    [mine, 100 * KB],
    [block, 640 * KB],
    [more, 200 * KB],
  ]);
  heap.rewind(outer);
  heap.release(block, 640 * KB);
  expect(heap.live).toBe(0);
  expect(heap.allocate(1024 * KB)).toBeGreaterThan(0);
});

test("limit: the last bytes below it can be used, by small blocks and by the arena", () => {
  const heap = new Heap(new FakeSpace({ limit: START + 48 * KB }));
  const mark = new Mark();
  const blocks = Array.from({ length: 20 }, () => heap.allocate(KB));
  heap.mark(mark);
  const buffer = heap.arenaAllocate(20 * KB, mark);
  checkDisjoint([...blocks.map((p) => [p, KB] as const), [buffer, 20 * KB]]);
  heap.rewind(mark);
});

test("limit: the error names what was asked for, what is live and the limit, and the heap goes on working", () => {
  const space = new FakeSpace({ limit: START + 100 * KB });
  const heap = new Heap(space);
  heap.allocate(32 * KB);
  expect(() => heap.allocate(80 * KB)).toThrowError(
    `out of memory: asked for ${80 * KB} bytes with ${32 * KB} live, the limit is ${100 * KB}; tape() and noGrad() free`,
  );
  expect(heap.live).toBe(32 * KB);
  expect(heap.allocate(20 * KB)).toBeGreaterThan(0);
});

test("limit: a refusal of the platform is the same error, in blocks and in the arena", () => {
  const heap = new Heap(new FakeSpace({ capacity: 400 * KB }));
  const mark = new Mark();
  heap.mark(mark);
  const p = heap.arenaAllocate(200 * KB, mark);
  // The limit is the memory that the platform has granted.
  const refused = /^out of memory: asked for \d+ bytes with 212992 live, the limit is 26\d{4}; /;
  expect(() => heap.allocate(2 ** 20)).toThrow(refused);
  expect(() => heap.arenaAllocate(2 ** 20, mark)).toThrow(refused);
  expect(heap.arenaAllocate(16, mark)).toBe(p + heap.live - 16);
  heap.rewind(mark);
  expect(heap.live).toBe(0);
});

test("linear memory: growing keeps what was written, and old views are empty", () => {
  const heap = new Heap(linearMemory);
  const p = heap.allocate(16);
  const before = linearMemory.view(p, 4);
  before.set([1, 2, 3, 4]);
  const reserved = linearMemory.reserved();
  heap.allocate(reserved);
  expect(linearMemory.reserved()).toBeGreaterThan(reserved);
  expect(before.length).toBe(0);
  expect([...linearMemory.view(p, 4)]).toEqual([1, 2, 3, 4]);
});
