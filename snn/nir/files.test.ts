/** Files that readNIR accepts and rejects, graphs that writeNIR accepts and rejects. Hostile files are in hostile.test.ts. */
import type { File } from "h5wasm";
import { describe, expect, test, vi } from "vitest";
import { fileOf, graphGroup } from "../../test/support/hdf5.ts";
import { readFixture } from "../../test/support/nir.ts";
import { around, f32, f64, PRIMITIVES } from "../../test/support/nir-graphs.ts";
import type { NIRGraph, NIRNode } from "./graph.ts";
import { fromNIR, readNIR, toNIR, writeNIR } from "./index.ts";

type Group = Pick<File, "create_group" | "create_dataset">;

/** A graph with one node, `n`, with these fields besides its type. */
const nodeOf = async (type: string, write: (group: Group) => void): Promise<NIRNode> => {
  const bytes = await fileOf((file) => {
    const node = graphGroup(file).create_group("n");
    node.create_dataset({ name: "type", data: type });
    write(node);
  });
  return (await readNIR(bytes)).nodes.n as NIRNode;
};

const put = (group: Group, arrays: Readonly<Record<string, number[]>>, dtype = "<f") => {
  for (const [name, data] of Object.entries(arrays)) group.create_dataset({ name, data, dtype });
};

describe("readNIR", () => {
  test("takes bytes of a Uint8Array, of a part of an array, and of an ArrayBuffer", async () => {
    const graph = PRIMITIVES.LIF as NIRGraph;
    const bytes = await writeNIR(graph);
    const longer = new Uint8Array(bytes.length + 7);
    longer.set(bytes, 3);
    expect(await readNIR(bytes)).toEqual(graph);
    expect(await readNIR(longer.subarray(3, -4))).toEqual(graph);
    expect(await readNIR(bytes.slice().buffer)).toEqual(graph);
  });

  test("copies the bytes before anything else runs", async () => {
    const bytes = await writeNIR(PRIMITIVES.LIF as NIRGraph);
    const reading = readNIR(bytes);
    bytes.fill(0);
    expect(await reading).toEqual(PRIMITIVES.LIF);
  });

  test("refuses anything but bytes, and options that it does not know", async () => {
    const bytes = await writeNIR(PRIMITIVES.LIF as NIRGraph);
    for (const wrong of [null, undefined, 3, "file.nir", [1, 2], new Float32Array(9), {}, new SharedArrayBuffer(9)]) {
      await expect(readNIR(wrong as never)).rejects.toThrow(
        /^readNIR: expected bytes as a Uint8Array or an ArrayBuffer, got/,
      );
    }
    await expect(readNIR(bytes, { maxBites: 1 } as never)).rejects.toThrow(
      "readNIR: expected a known option, got maxBites; did you mean maxBytes?",
    );
    await expect(readNIR(bytes, { maxBytes: 0 })).rejects.toThrow("readNIR: maxBytes must be a number ≥ 1, got 0");
  });

  test("several files at once do not mix", async () => {
    const graphs = Object.values(PRIMITIVES);
    const read = await Promise.all(graphs.map(async (graph) => readNIR(await writeNIR(graph))));
    expect(read).toEqual(graphs);
  });

  test("a missing v_reset is zeros of the type and the shape of v_threshold", async () => {
    const node = await nodeOf("IF", (group) => {
      put(group, { r: [1, 2] });
      put(group, { v_threshold: [3, 4] }, "<d");
    });
    expect(node).toEqual({ type: "IF", r: f32([2], 1, 2), v_threshold: f64([2], 3, 4), v_reset: f64([2], 0, 0) });
  });

  test("a missing w_in is ones, and a single one is repeated", async () => {
    const fields = { tau_syn: [1, 1], tau_mem: [2, 2], r: [1, 1], v_leak: [0, 0] };
    const missing = await nodeOf("CubaLI", (group) => put(group, fields));
    expect(missing).toMatchObject({ w_in: f32([2], 1, 1) });
    const single = await nodeOf("CubaLI", (group) => {
      put(group, fields);
      group.create_dataset({ name: "w_in", data: 3.5, shape: [], dtype: "<d" });
    });
    expect(single).toMatchObject({ w_in: f64([2], 3.5, 3.5) });
  });

  test("a missing start_dim is 1, a missing end_dim −1, a missing input shape is open", async () => {
    expect(await nodeOf("Flatten", () => {})).toEqual({
      type: "Flatten",
      start_dim: 1,
      end_dim: -1,
      input_shape: null,
    });
    const image = { weight: f32([1, 1, 1, 1], 1), bias: f32([1], 0), stride: 1, padding: 0, dilation: 1, groups: 1 };
    const graph = around({ type: "Conv2d", ...image, input_shape: null });
    expect((await readNIR(await writeNIR(graph))).nodes.node).toEqual({ type: "Conv2d", ...image, input_shape: null });
  });

  test.each(["<b", "<B", "<h", "<H", "<i", "<I", "<q", "<Q"])("numbers of type %s are exact", async (dtype) => {
    const data = /[qQ]/.test(dtype) ? ([1n, 100n] as never) : [1, 100];
    const node = await nodeOf("Scale", (group) => group.create_dataset({ name: "scale", data, dtype }));
    expect(node).toEqual({ type: "Scale", scale: f64([2], 1, 100) });
  });

  test("big-endian numbers are read", async () => {
    const bytes = await fileOf((file) => {
      const node = graphGroup(file).create_group("node");
      node.create_dataset({ name: "type", data: "Scale" });
      put(node, { scale: [1, 100] }, "<d");
    });
    // The type of a float64: class 1, bits of which the first is the order of bytes, the place of the sign, 8 bytes.
    const type = Buffer.from(bytes.buffer).indexOf(Buffer.from([0x11, 0x20, 0x3f, 0, 8, 0, 0, 0]));
    const data = Buffer.from(bytes.buffer).indexOf(Buffer.from(Float64Array.of(1, 100).buffer));
    expect(Math.min(type, data)).toBeGreaterThan(0);
    bytes[type + 1] = 0x21;
    for (const at of [data, data + 8]) bytes.subarray(at, at + 8).reverse();
    expect((await readNIR(bytes)).nodes.node).toEqual({ type: "Scale", scale: f64([2], 1, 100) });
  });

  test.each(["S9", "A9", "A"])("text of type %s is read", async (dtype) => {
    const bytes = await fileOf((file) => {
      const node = graphGroup(file, [["a", "a"]], dtype).create_group("a");
      node.create_dataset({ name: "type", data: "Scale", dtype });
      put(node, { scale: [1] });
    });
    expect(await readNIR(bytes)).toEqual({
      type: "NIRGraph",
      nodes: { a: { type: "Scale", scale: f32([1], 1) } },
      edges: [["a", "a"]],
    });
  });

  test("integers may be stored as floats and as lists of one", async () => {
    const pool = await nodeOf("SumPool2d", (group) => put(group, { kernel_size: [2], stride: [2, 3], padding: [0] }));
    expect(pool).toEqual({ type: "SumPool2d", kernel_size: 2, stride: [2, 3], padding: 0 });
  });

  test("other types and fields are refused with their place", async () => {
    const messages: string[] = [];
    const refused = async (type: string, write: (group: Group) => void) => {
      const error = await nodeOf(type, write).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RangeError);
      messages.push((error as Error).message);
    };
    const pool = { kernel_size: [2], stride: [2] };
    await refused("LSTM", () => {});
    await refused("toString", () => {});
    await refused("Linear", () => {});
    await refused("Linear", (group) => group.create_group("weight"));
    await refused("Linear", (group) => group.create_dataset({ name: "weight", data: "many" }));
    await refused("Linear", (group) => group.create_dataset({ name: "weight", data: new Map([["re", [0.5]]]) }));
    await refused("Linear", (group) => put(group, { weight: [1], bias: [1] }));
    await refused("AvgPool2d", (group) => put(group, { ...pool, padding: [-1] }));
    await refused("AvgPool2d", (group) => put(group, { ...pool, padding: [0.5] }));
    await refused("AvgPool2d", (group) => put(group, { ...pool, padding: [1, 1, 1] }));
    await refused("AvgPool2d", (group) => {
      put(group, pool);
      group.create_dataset({ name: "padding", data: "same" });
    });
    await refused("Input", (group) => put(group, { shape: [Number.NaN] }));
    await refused("Input", (group) => group.create_dataset({ name: "shape", data: [1, 2], shape: [1, 2] }));
    expect(messages).toMatchInlineSnapshot(`
      [
        "readNIR: expected /node/nodes/n/type "NIRGraph", "Input", "Output", "Affine", "Linear", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Delay", "Threshold", "I", "LI", "IF", "LIF", "CubaLI" or "CubaLIF", got "LSTM"",
        "readNIR: expected /node/nodes/n/type "NIRGraph", "Input", "Output", "Affine", "Linear", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Delay", "Threshold", "I", "LI", "IF", "LIF", "CubaLI" or "CubaLIF", got "toString"",
        "readNIR: expected /node/nodes/n/weight as an array { shape, data }, got undefined",
        "readNIR: expected /node/nodes/n/weight as an array of floats, got undefined",
        "readNIR: expected /node/nodes/n/weight as an array { shape, data }, got "many"",
        "readNIR: expected numbers or text at /node/nodes/n/weight, got HDF5 type 6 of 8 bytes",
        "readNIR: expected /node/nodes/n with the fields type, metadata, weight, got "bias"",
        "readNIR: /node/nodes/n/padding[0] must be an integer ≥ 0, got -1",
        "readNIR: /node/nodes/n/padding[0] must be an integer ≥ 0, got 0.5",
        "readNIR: expected /node/nodes/n/padding of 1 or 2 integers, got [1, 1, 1]",
        "readNIR: expected /node/nodes/n/padding as a list of numbers, got "same"",
        "readNIR: /node/nodes/n/shape[0] must be an integer ≥ 0, got NaN",
        "readNIR: expected /node/nodes/n/shape as a list of numbers, got object",
      ]
    `);
  });

  test("metadata that a graph cannot hold are left out and listed, and a user block is passed over", async () => {
    const graph = await readNIR(readFixture("metadata.nir"));
    const at = (name: string) => `/node/nodes/metadata/metadata/${name}`;
    expect(graph.skipped).toEqual([
      { path: at("array"), got: "an empty array without a shape" },
      { path: at("bytes"), got: "HDF5 type 5 of 6 bytes" },
      { path: at("complex"), got: "HDF5 type 6 of 16 bytes" },
      { path: at("half"), got: "HDF5 type 1 of 2 bytes" },
      { path: at("inner/again"), got: "a second link to one group" },
      { path: at("lists"), got: "HDF5 type 9 of 8 bytes" },
      { path: at("nowhere"), got: "another object, or none" },
      { path: at("record"), got: "HDF5 type 6 of 12 bytes" },
      { path: at("reference"), got: "HDF5 type 7 of 8 bytes" },
      { path: at("text"), got: "an empty array without a shape" },
      { path: at("type"), got: "another object, or none" },
      { path: "/node/metadata", got: "numbers of shape [2]" },
      { path: at("table"), got: "text of shape [2, 2]" },
    ]);
    const { skipped: _, ...own } = graph;
    expect(own).toEqual({
      type: "NIRGraph",
      version: "1.0.7",
      nodes: {
        input: { type: "Input", shape: [2] },
        metadata: { type: "Scale", scale: f32([2], 1, 2), metadata: { inner: { kept: "text" }, kept: 3.5 } },
        output: { type: "Output", shape: [2] },
      },
      edges: [
        ["input", "metadata"],
        ["metadata", "output"],
      ],
    });
    // The list belongs to the file: neither another file nor a module inherits it.
    expect(await readNIR(await writeNIR(graph))).toEqual(own);
    expect(toNIR(fromNIR(graph, { dt: 1 }), { dt: 1 }).graph).toEqual(own);
  });

  test.each([512, 1024, 65_536])("a file behind %s bytes of the user is read", async (n) => {
    const bytes = await writeNIR(around({ type: "Scale", scale: f32([2], 1, 2) }));
    const behind = new Uint8Array(n + bytes.length).fill(1, 0, n);
    behind.set(bytes, n);
    expect(await readNIR(behind)).toEqual(await readNIR(bytes));
    await expect(readNIR(behind.subarray(8))).rejects.toThrow(
      "readNIR: expected an HDF5 file at byte 0, got no signature of one",
    );
  });

  test("the same types are refused outside of metadata, and a list of what was left out is no field of a file", async () => {
    const strange = (group: Group) => group.create_dataset({ name: "scale", data: new Map([["re", [0.5]]]) });
    await expect(nodeOf("Scale", strange)).rejects.toThrow(
      "readNIR: expected numbers or text at /node/nodes/n/scale, got HDF5 type 6 of 8 bytes",
    );
    const bytes = await fileOf((file) => {
      graphGroup(file);
      (file.get("node") as Group).create_dataset({ name: "skipped", data: ["a", "b"], shape: [2], dtype: "S" });
    });
    await expect(readNIR(bytes)).rejects.toThrow('edges, version, got "skipped"');
  });

  test("a file without a graph is refused", async () => {
    await expect(readNIR(await fileOf(() => {}))).rejects.toThrow(
      "readNIR: expected /node as an object, got undefined",
    );
    const other = await fileOf((file) => file.create_group("node").create_dataset({ name: "type", data: "LIF" }));
    await expect(readNIR(other)).rejects.toThrow('readNIR: expected /node/type "NIRGraph", got "LIF"');
    const node = await fileOf((file) => {
      const group = file.create_group("node");
      group.create_dataset({ name: "type", data: "Scale" });
      put(group, { scale: [1] });
    });
    await expect(readNIR(node)).rejects.toThrow('readNIR: expected /node/type "NIRGraph", got "Scale"');
  });

  test("edges between names that are no nodes are refused, but for a single renamed node", async () => {
    const edgesOf = async (edges: string[][]) => {
      const bytes = await fileOf((file) => {
        const nodes = graphGroup(file, edges);
        for (const name of ["a", "b"]) {
          const node = nodes.create_group(name);
          node.create_dataset({ name: "type", data: "Scale" });
          put(node, { scale: [1] });
        }
      });
      return (await readNIR(bytes)).edges;
    };
    // The paper's files with subgraphs are like this; `fromNIR` reads "c" as "b".
    expect(await edgesOf([["a", "c"]])).toEqual([["a", "c"]]);
    const message = 'readNIR: expected /node/edges between ["a", "b"], got "c"';
    await expect(edgesOf([["a", "b"], ["b", "c"]])).rejects.toThrow(message); // biome-ignore format: pairs
    await expect(edgesOf([["c", "d"]])).rejects.toThrow(message);
    await expect(edgesOf([["a", "b", "a"]])).rejects.toThrow(
      "readNIR: expected /node/edges as a list of pairs of names, got object",
    );
  });

  test("nothing is logged", async () => {
    const log = vi.spyOn(console, "error");
    const warn = vi.spyOn(console, "warn");
    const bytes = await writeNIR(PRIMITIVES.CubaLIF as NIRGraph);
    await expect(readNIR(bytes.subarray(0, 1000))).rejects.toThrow(
      "readNIR: expected a whole HDF5 file at /, got 1000 bytes that are none",
    );
    expect(log).not.toHaveBeenCalled();
    expect(warn).not.toHaveBeenCalled();
    log.mockRestore();
    warn.mockRestore();
  });
});

describe("writeNIR", () => {
  const lif = PRIMITIVES.LIF?.nodes.node as NIRNode & { type: "LIF" };
  const graph = (node: unknown) => ({ type: "NIRGraph", nodes: { a: node }, edges: [] }) as never;

  test("a graph without a version gets the one whose fields it has", async () => {
    const { version: _, ...rest } = PRIMITIVES.LIF as NIRGraph;
    expect((await readNIR(await writeNIR(rest))).version).toBe("1.0.7");
  });

  test("names may be those of properties of objects", async () => {
    const nodes = Object.fromEntries(["__proto__", "constructor", "a.b", "é", "..", " "].map((name) => [name, lif]));
    const written: NIRGraph = { type: "NIRGraph", nodes, edges: [["__proto__", "constructor"]], version: "" };
    const read = await readNIR(await writeNIR(written));
    expect(Object.keys(read.nodes).sort()).toEqual(Object.keys(nodes).sort());
    expect(Object.getPrototypeOf(read.nodes)).toBe(Object.prototype);
    expect(read).toEqual(written);
  });

  test("what a file cannot hold is refused", async () => {
    const messages: string[] = [];
    const refused = async (value: unknown, kind: new (message: string) => Error) => {
      const error = await writeNIR(value as never).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(kind);
      messages.push((error as Error).message);
    };
    await refused(null, TypeError);
    await refused({ type: "LIF" }, RangeError);
    await refused({ type: "NIRGraph", nodes: [], edges: [] }, TypeError);
    await refused({ type: "NIRGraph", nodes: {}, edges: [["a", "b"]] }, RangeError);
    await refused({ type: "NIRGraph", nodes: {}, edges: ["ab"] }, TypeError);
    await refused({ type: "NIRGraph", nodes: { "a/b": lif }, edges: [] }, RangeError);
    await refused({ type: "NIRGraph", nodes: { "": lif }, edges: [] }, RangeError);
    await refused({ type: "NIRGraph", nodes: { ".": lif }, edges: [] }, RangeError);
    await refused({ type: "NIRGraph", nodes: { "\ud800": lif }, edges: [] }, RangeError);
    await refused({ type: "NIRGraph", nodes: {}, edges: [], version: 1 }, TypeError);
    await refused(graph({ type: "GRU" }), RangeError);
    await refused(graph({ ...lif, reset: "zero" }), TypeError);
    await refused(graph({ ...lif, tau: 2 }), TypeError);
    await refused(graph({ ...lif, tau: { shape: [1], data: [1] } }), TypeError);
    await refused(graph({ ...lif, tau: f32([3], 1, 2) }), RangeError);
    await refused(graph({ ...lif, tau: f32(Array(33).fill(1), 1) }), RangeError);
    await refused(graph({ type: "Input", shape: [1.5] }), RangeError);
    await refused(graph({ type: "Conv1d", stride: 0 }), TypeError);
    await refused(graph({ ...PRIMITIVES.Conv1d?.nodes.node, stride: 0 }), RangeError);
    await refused(graph({ ...PRIMITIVES.Conv2d?.nodes.node, stride: [1, 2, 3] }), RangeError);
    await refused(graph({ ...PRIMITIVES.Conv2d?.nodes.node, padding: "full" }), RangeError);
    await refused(graph({ ...lif, metadata: { a: true } }), TypeError);
    await refused(graph({ ...lif, metadata: { a: "\0" } }), RangeError);
    expect(messages).toMatchInlineSnapshot(`
      [
        "writeNIR: expected graph as an object, got null",
        "writeNIR: expected graph/type "NIRGraph", got "LIF"",
        "writeNIR: expected graph/nodes as an object, got []",
        "writeNIR: expected graph/edges between [], got "a"",
        "writeNIR: expected graph/edges as pairs of names, got "ab"",
        "writeNIR: expected names in graph/nodes with a character, without /, and not ., got "a/b"",
        "writeNIR: expected at most 4096 nodes with names, got """,
        "writeNIR: expected names in graph/nodes with a character, without /, and not ., got "."",
        "writeNIR: expected graph/nodes as text without 0, got "\\ud800"",
        "writeNIR: expected graph/version as text, got 1",
        "writeNIR: expected graph/nodes/a/type "NIRGraph", "Input", "Output", "Affine", "Linear", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Delay", "Threshold", "I", "LI", "IF", "LIF", "CubaLI" or "CubaLIF", got "GRU"",
        "writeNIR: expected graph/nodes/a with the fields type, metadata, tau, r, v_leak, v_threshold, v_reset, got "reset"",
        "writeNIR: expected graph/nodes/a/tau as an array { shape, data }, got 2",
        "writeNIR: expected graph/nodes/a/tau as an array of floats, got [1]",
        "writeNIR: expected graph/nodes/a/tau with 3 values on at most 32 axes, got 2, [3]",
        "writeNIR: expected graph/nodes/a/tau with 1 values on at most 32 axes, got 1, [1, 1, 1, 1, 1, 1, 1, 1, …]",
        "writeNIR: graph/nodes/a/shape[0] must be an integer ≥ 0, got 1.5",
        "writeNIR: expected graph/nodes/a/weight as an array { shape, data }, got undefined",
        "writeNIR: graph/nodes/a/stride[0] must be a positive integer, got 0",
        "writeNIR: expected graph/nodes/a/stride of 1 or 2 integers, got [1, 2, 3]",
        "writeNIR: expected graph/nodes/a/padding "same" or "valid", got "full"",
        "writeNIR: expected graph/nodes/a/metadata/a as text, a number, a list of text, an array or an object, got true",
        "writeNIR: expected graph/nodes/a/metadata/a as text without 0, got "\\u0000"",
      ]
    `);
  });

  test("graphs that contain themselves are refused", async () => {
    const nodes: Record<string, unknown> = {};
    const cyclic = { type: "NIRGraph", nodes, edges: [] };
    nodes.a = cyclic;
    await expect(writeNIR(cyclic as never)).rejects.toThrow(
      /^writeNIR: expected at most 31 graphs in each other, got ….*\/nodes\/a$/,
    );
    const metadata: Record<string, unknown> = {};
    metadata.a = metadata;
    await expect(writeNIR(graph({ ...lif, metadata }))).rejects.toThrow(
      /^writeNIR: expected at most 64 groups in each other, got .*(\/a)+$/,
    );
  });

  test("31 graphs in each other are written and read", async () => {
    let nested: NIRGraph = PRIMITIVES.LIF as NIRGraph;
    for (let i = 1; i < 31; i++) nested = { type: "NIRGraph", nodes: { g: nested }, edges: [], version: "1.0.7" };
    const read = await readNIR(await writeNIR(nested));
    let inner: NIRNode = read;
    for (let i = 1; i < 31; i++) inner = (inner as NIRGraph).nodes.g as NIRNode;
    expect((inner as NIRGraph).edges).toEqual(PRIMITIVES.LIF?.edges);
    await expect(writeNIR({ type: "NIRGraph", nodes: { g: nested }, edges: [] })).rejects.toThrow("at most 31 graphs");
  });

  test("the graph is copied before anything else runs", async () => {
    const scale = f32([2], 1, 2);
    const writing = writeNIR(around({ type: "Scale", scale }));
    scale.data.fill(9);
    expect((await readNIR(await writing)).nodes.node).toEqual({ type: "Scale", scale: f32([2], 1, 2) });
  });
});
