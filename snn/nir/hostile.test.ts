/**
 * Hostile files: each gives an error or a graph, and leaves h5wasm unchanged. `SEED=…` and `RUNS=…` select other mutations.
 */
import { type File, type Group, ready } from "h5wasm";
import { beforeAll, describe, expect, test } from "vitest";
import { fileOf, graphGroup } from "../../test/support/hdf5.ts";
import { readFixture } from "../../test/support/nir.ts";
import { PRIMITIVES } from "../../test/support/nir-graphs.ts";
import type { NIRGraph, NIRLinear } from "./graph.ts";
import { readNIR, writeNIR } from "./index.ts";

const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 3000);

type Library = Awaited<typeof ready>;

let m: Library;
beforeAll(async () => {
  m = await ready;
});

/** The state of h5wasm that every call must preserve: files, open ones, the stack. */
function stateOf(): object {
  const FS = m.FS as typeof m.FS & { streams: unknown[]; open: unknown };
  // The function copies nothing and returns the address of its first argument, which is on the stack.
  const stack = m.ccall("memcpy" as never, "number", ["string", "string", "number"] as never, ["a", "b", 0] as never);
  const { grow } = WebAssembly.Memory.prototype;
  return {
    files: FS.readdir("/"),
    streams: FS.streams.filter(Boolean).length,
    open: FS.open,
    grow,
    stack,
    own: "_jarvis" in m,
  };
}

/** The error of a file, or undefined for a graph. Anything but an error with a position in the file fails. */
async function errorOf(bytes: Uint8Array, about: string): Promise<string | undefined> {
  const [state, memory] = [stateOf(), m.HEAPU8.length];
  let message: string | undefined;
  try {
    expect((await readNIR(bytes)).type).toBe("NIRGraph");
  } catch (error) {
    if (!(error instanceof RangeError && /^readNIR: (expected .* at |.*\/node).*, got /s.test(error.message))) {
      throw new Error(`${about}: ${error}`, { cause: error });
    }
    message = error.message;
  }
  expect(stateOf(), about).toEqual(state);
  expect(m.HEAPU8.length - memory, about).toBeLessThan(2 ** 25);
  return message;
}

/** A file of one node, written by `write` into its group. */
const around = (write: (node: Group, file: File) => void) =>
  fileOf((file) => {
    const node = graphGroup(file).create_group("n");
    write(node, file);
  });

const linear = (node: Group) => {
  node.create_dataset({ name: "type", data: "Linear" });
};

describe("links", () => {
  test("a group that contains an ancestor is refused", async () => {
    const bytes = await fileOf((file) => {
      graphGroup(file).create_hard_link("/node", "again");
    });
    expect(await errorOf(bytes, "hard link")).toBe(
      "readNIR: expected a tree of groups at /node/nodes/again, got a second link to one group",
    );
    const soft = await fileOf((file) => {
      graphGroup(file).create_soft_link("/", "again");
    });
    expect(await errorOf(soft, "soft link")).toBe(
      "readNIR: expected a tree of groups at /node/nodes/again/node, got a second link to one group",
    );
  });

  test("a group with two names is refused, as many of them could stand for more nodes than there is memory", async () => {
    const bytes = await fileOf((file) => {
      const nodes = graphGroup(file);
      linear(nodes.create_group("a"));
      nodes.create_hard_link("/node/nodes/a", "b");
    });
    expect(await errorOf(bytes, "second name")).toBe(
      "readNIR: expected a tree of groups at /node/nodes/b, got a second link to one group",
    );
  });

  test("an array with two names is read twice, within the bytes that are allowed", async () => {
    const file = (copies: number) =>
      around((node, { path: _ }) => {
        linear(node);
        node.create_dataset({ name: "weight", data: new Float32Array(1000), shape: [1, 1000] });
        const more = node.create_group("metadata");
        for (let i = 0; i < copies; i++) more.create_hard_link("/node/nodes/n/weight", `w${i}`);
      });
    const bytes = await file(10);
    expect(Object.keys((await readNIR(bytes)).nodes.n?.metadata ?? {})).toHaveLength(10);
    await expect(readNIR(bytes, { maxBytes: 30_000 })).rejects.toThrow(
      /^readNIR: expected at most \d+ bytes more, by maxBytes and the size of the file, at \/node\/nodes\/n\/metadata\/w\d, got \[1, 1000\] × 4 bytes$/,
    );
  });

  test.each(["/nowhere", "/node/nodes/a"])("a link to %s leads nowhere", async (target) => {
    const bytes = await fileOf((file) => {
      graphGroup(file).create_soft_link(target, "a");
    });
    expect(await errorOf(bytes, target)).toMatch(/^readNIR: expected .* at \/node\/nodes\/a, got /);
  });

  test("no other file is seen, neither one of the page nor the same one by another way", async () => {
    const secret = await writeNIR(PRIMITIVES.LIF as NIRGraph);
    m.FS.writeFile("/secret.nir", secret);
    try {
      for (const name of ["secret.nir", "/secret.nir", "/dev/stdin", "/jarvis-snn.nir/../secret.nir"]) {
        const bytes = await fileOf((file) => {
          graphGroup(file).create_external_link(name, "/node/nodes/node", "a");
        });
        expect(await errorOf(bytes, name)).toMatch(/^readNIR: expected .* at \/node\/nodes\/a, got /);
      }
    } finally {
      m.FS.unlink("/secret.nir");
    }
  });
});

describe("damage", () => {
  test("a file that ends anywhere before its end is refused", async () => {
    const bytes = await writeNIR(PRIMITIVES.Threshold as NIRGraph);
    const state = stateOf();
    for (let n = 0; n < bytes.length; n++) {
      const error = (await readNIR(bytes.subarray(0, n)).catch((thrown: unknown) => thrown)) as Error;
      expect(error, `${n} bytes`).toBeInstanceOf(RangeError);
      expect(error.message, `${n} bytes`).toMatch(/^readNIR: expected an? (whole )?HDF5 file at/);
    }
    expect(stateOf()).toEqual(state);
  });

  test("a file that ends before the end of its user block, or anywhere behind it, is refused", async () => {
    const bytes = readFixture("metadata.nir");
    for (let n = 0; n < bytes.length; n += n < 600 ? 7 : 97) {
      const error = (await readNIR(bytes.subarray(0, n)).catch((thrown: unknown) => thrown)) as Error;
      expect(error, `${n} bytes`).toBeInstanceOf(RangeError);
      expect(error.message, `${n} bytes`).toMatch(/^readNIR: expected an? (whole )?HDF5 file at/);
    }
  });

  test("text without an end is refused, behind a user block too", async () => {
    const bytes = await writeNIR(PRIMITIVES.Threshold as NIRGraph);
    const heap = Buffer.from(bytes.buffer).indexOf("GCOL");
    expect(heap).toBeGreaterThan(0);
    // The first text becomes free space of no bytes, at which the library would loop forever.
    bytes.fill(0, heap + 16, heap + 32);
    expect(await errorOf(bytes, "text")).toBe(`readNIR: expected an HDF5 file at byte ${heap + 16}, got damaged text`);
    const behind = new Uint8Array(2048 + bytes.length);
    behind.set(bytes, 2048);
    expect(await errorOf(behind, "text")).toContain(`at byte ${2048 + heap + 16}, got damaged text`);
  });

  for (const name of ["conv1d", "lif_net", "metadata", "primitives", "rnn_subgraph_net"]) {
    test(`${name}: damaged bytes give an error or a graph (seed ${SEED})`, async () => {
      const source = readFixture(`${name}.nir`);
      const random = randomOf(SEED);
      let errors = 0;
      for (let run = 0; run < RUNS / 4; run++) {
        const error = await errorOf(damaged(source, random), `seed ${SEED}, run ${run} of ${name}`);
        errors += error === undefined ? 0 : 1;
      }
      expect(errors).toBeGreaterThan(RUNS / 40);
      expect((await readNIR(source)).type).toBe("NIRGraph");
    });
  }
});

describe("sizes", () => {
  const huge = (shape: number[], chunks: number[]) =>
    around((node) => {
      linear(node);
      const start = shape.map(() => 1);
      const weight = node.create_dataset({
        name: "weight",
        data: [1],
        shape: start,
        maxshape: shape.map(() => null),
        chunks,
        dtype: "<d",
      });
      weight.resize(shape);
    });

  test.each([
    [
      [2 ** 20, 2 ** 20],
      [1, 1024],
    ],
    [[2 ** 40], [1024]],
    [
      [2 ** 31, 2 ** 31, 2 ** 31],
      [1, 1, 8],
    ],
  ])("an array of %s values is refused before memory for it is taken", async (shape, chunks) => {
    const bytes = await huge(shape, chunks);
    expect(bytes.length).toBeLessThan(30_000);
    expect(await errorOf(bytes, `${shape}`)).toMatch(
      /^readNIR: expected at most \d+ bytes more, .* at \/node\/nodes\/n\/weight, got /,
    );
  });

  test("so is one of huge chunks", async () => {
    const bytes = await around((node) => {
      linear(node);
      node.create_dataset({ name: "weight", data: [1], shape: [1], maxshape: [null], chunks: [12345], dtype: "<d" });
    });
    const view = new DataView(bytes.buffer);
    for (let i = 0; i + 4 <= bytes.length; i++) if (view.getUint32(i, true) === 12345) view.setUint32(i, 2 ** 27, true);
    const error = await errorOf(bytes, "chunks");
    expect(error).toMatch(/at \/node\/nodes\/n\/weight, got \[1\] × 8 bytes in chunks of \[134217728\]$/);
  });

  test("data that grow beyond their chunk when they are unpacked are refused without memory for them", async () => {
    const bytes = await around((node) => {
      linear(node);
      node.create_dataset({
        name: "weight",
        data: new Float64Array(2 ** 22),
        shape: [2 ** 22],
        chunks: [2 ** 22],
        compression: 9,
      });
    });
    expect(bytes.length).toBeLessThan(2 ** 18);
    // Shape and chunk are smaller than the data.
    const view = new DataView(bytes.buffer);
    for (let i = 0; i + 8 <= bytes.length; i++) if (view.getUint32(i, true) === 2 ** 22) view.setUint32(i, 8, true);
    const memory = m.HEAPU8.length;
    await errorOf(bytes, "bomb");
    expect(m.HEAPU8.length - memory).toBeLessThan(2 ** 25);
  });

  test("an array that is larger unpacked than the file is read, and maxBytes bounds it", async () => {
    const bytes = await around((node) => {
      linear(node);
      node.create_dataset({
        name: "weight",
        data: new Float32Array(2 ** 18),
        shape: [512, 512],
        chunks: [512, 512],
        compression: 9,
      });
    });
    expect(bytes.length).toBeLessThan(2 ** 14);
    const { weight } = (await readNIR(bytes)).nodes.n as NIRLinear;
    expect(weight.shape).toEqual([512, 512]);
    expect(weight.data.length).toBe(2 ** 18);
    expect(weight.data.every((value) => value === 0)).toBe(true);
    await expect(readNIR(bytes, { maxBytes: 2 ** 20 })).rejects.toThrow(RangeError);
  });

  test("graphs deeper in each other than 31 are refused", async () => {
    const bytes = await fileOf((file) => {
      let nodes = graphGroup(file);
      for (let i = 0; i < 40; i++) {
        const graph = nodes.create_group("g");
        graph.create_dataset({ name: "type", data: "NIRGraph" });
        nodes = graph.create_group("nodes");
      }
    });
    expect(await errorOf(bytes, "depth")).toMatch(
      /^readNIR: expected at most 64 groups in each other at ….*\/nodes\/g, got more$/,
    );
  });
});

/** Mulberry32. */
function randomOf(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/** Sizes that overflow in additions or multiplications. */
const EDGES = [
  0n,
  1n,
  2n ** 16n - 1n,
  2n ** 28n,
  2n ** 31n - 1n,
  2n ** 32n - 16n,
  2n ** 32n,
  2n ** 40n,
  2n ** 63n - 1n,
  2n ** 64n - 8n,
  2n ** 64n - 1n,
];

/** A copy with one to four changes: bytes, bits, copies of other positions, addresses of other objects, extreme sizes. */
function damaged(source: Uint8Array, random: (n: number) => number): Uint8Array {
  const bytes = source.slice();
  const view = new DataView(bytes.buffer);
  const isAddress = (p: number) =>
    p > 0 && view.getBigUint64(p, true) % 8n === 0n && view.getBigUint64(p, true) < bytes.length;
  /** A position that is not 0, unlike most of a file. */
  const somewhere = (): number => {
    let p = random(bytes.length - 8);
    for (let i = 0; i < 2000 && bytes[p] === 0; i++) p = (p + 1) % (bytes.length - 8);
    return p;
  };
  const address = (): number => {
    let p = 8 * random(bytes.length / 8 - 1);
    for (let i = 0; i < 2000 && !(isAddress(p) && view.getUint32(p, true) > 0); i++) p = (p + 8) % (bytes.length - 8);
    return p;
  };
  for (let i = random(4); i >= 0; i--) {
    const kind = random(6);
    if (kind === 0) bytes[somewhere()] = random(256);
    else if (kind === 1) flip(bytes, somewhere(), random(8));
    else if (kind === 2) copy(bytes, somewhere(), somewhere(), 1 + random(16));
    else if (kind === 3) view.setBigUint64(address(), view.getBigUint64(address(), true), true);
    else view.setBigUint64(kind === 4 ? address() : somewhere(), EDGES[random(EDGES.length)] as bigint, true);
  }
  return bytes;
}

const flip = (bytes: Uint8Array, at: number, bit: number) => {
  bytes[at] = (bytes[at] as number) ^ (1 << bit);
};

const copy = (bytes: Uint8Array, to: number, from: number, n: number) => bytes.copyWithin(to, from, from + n);

test("text that seems to hold more text at each place takes no time that grows with the square", async () => {
  const good = await writeNIR(PRIMITIVES.LIF as NIRGraph);
  const bytes = new Uint8Array(good.length + 2 ** 21);
  bytes.set(good);
  const view = new DataView(bytes.buffer);
  for (let p = good.length; p + 32 <= bytes.length; p += 32) {
    view.setUint16(p, 1, true);
    view.setUint32(p + 8, 16, true);
    bytes.set([0x47, 0x43, 0x4f, 0x4c, 1], p + 16);
    view.setUint32(p + 24, bytes.length - p - 16, true);
  }
  // A quadratic search takes more than a minute, the limit of a test.
  expect(await errorOf(bytes, "text in text")).toMatch(/damaged text$/);
});

/** A file whose node has a fixed-length type, padded with spaces as in Fortran. */
async function padded(text: string, size: number): Promise<Uint8Array> {
  const bytes = await around((node) => {
    const type = { name: "type", data: [text], shape: [1], dtype: `S${size}`, chunks: [1], compression: 9 };
    node.create_dataset(type as never);
  });
  // A type of a dataset: [version 1, class 3: 8 bits] [padding: 4 bits] [zeros: 20] [bytes: 32]
  const view = new DataView(bytes.buffer);
  let found = 0;
  for (let p = 0; p + 8 <= bytes.length; p++) {
    if (bytes[p] !== 0x13 || view.getUint32(p + 4, true) !== size) continue;
    bytes[p + 1] = 2;
    found++;
  }
  expect(found).toBe(1);
  return bytes;
}

test("text that is padded with spaces ends before them, and takes no time that grows with the square", async () => {
  expect(await errorOf(await padded("Linea  r   ", 11), "padded")).toMatch(/n\/type .*, got "Linea {2}r"$/);
  // A quadratic search takes hours.
  const size = 2 ** 21;
  const bytes = await padded(`${" ".repeat(size - 1)}x`, size);
  expect(bytes.length).toBeLessThan(20_000);
  expect(await errorOf(bytes, "spaces and an x")).toMatch(/n\/type .*, got " {40}"$/);
});

test("errors quote no more than 200 characters of a file", async () => {
  const long = "q".repeat(20_000);
  const files = [
    around((node) => {
      linear(node);
      node.create_dataset({ name: long, data: [1] });
    }),
    around((node) => void node.create_dataset({ name: "type", data: long })),
    around((node) => void node.create_group(long)),
    fileOf((file) => void graphGroup(file, [[long, long.slice(1)]]).create_group(long.slice(2))),
    fileOf((file) => {
      const names = Array.from({ length: 9 }, (_, i) => `${i}${"q".repeat(99)}`);
      const nodes = graphGroup(file, [["stray", "other"]]);
      for (const name of names) {
        const node = nodes.create_group(name);
        node.create_dataset({ name: "type", data: "Input" });
        node.create_dataset({ name: "shape", data: [1], dtype: "<q" });
      }
    }),
  ];
  for (const file of files) {
    const message = await readNIR(await file).then(String, (error: Error) => error.message);
    expect(message).toMatch(/^readNIR: /);
    expect(message.match(/q/g)?.length ?? 0, message).toBeLessThanOrEqual(200);
    expect(message.length, message).toBeLessThan(500);
  }
});

test("integers count as the float64 that they become, and text of one length as the objects", async () => {
  const file = (data: Uint8Array | string[], dtype: string) =>
    around((node) => {
      linear(node);
      node.create_dataset({ name: "weight", data: [1] });
      node.create_group("metadata").create_dataset({ name: "more", data, dtype });
    });
  const n = 4000;
  for (const [data, dtype, each] of [
    [new Uint8Array(n), "<B", 8],
    [new Array(n).fill("a"), "S1", 65],
  ] as const) {
    const bytes = await file(data as Uint8Array, dtype);
    expect((await readNIR(bytes, { maxBytes: each * n + 1000 })).type).toBe("NIRGraph");
    await expect(readNIR(bytes, { maxBytes: each * n - 1 })).rejects.toThrow(
      `by maxBytes and the size of the file, at /node/nodes/n/metadata/more, got [${n}] × 1 bytes`,
    );
  }
});
