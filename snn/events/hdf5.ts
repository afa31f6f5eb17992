/** Reads HDF5 files of DSEC and Metavision through the package h5wasm, with h5wasm-plugins for the compression of DSEC. */
import type { Dataset, Group, File as H5File } from "h5wasm";
import { shortened, wrongValue } from "../../engine/arguments.ts";
import { sizeOf } from "../../engine/shape.ts";
import { bounded, checkText, listening } from "../files/hdf5.ts";
import { type ArrayValues, appendArrays, numbersAt, reserved, TOGETHER } from "./arrays.ts";
import type { Bound } from "./bound.ts";
import { peerOf } from "./peers.ts";
import type { EventColumns } from "./recording.ts";

type H5 = typeof import("h5wasm");
type Module = Awaited<H5["ready"]>;

/** The library, and the bound on the memory that it and this reader use for a file. */
interface Library {
  readonly module: Module;
  readonly bound: Bound;
}

/** A file in the memory of h5wasm. */
export interface Opened extends Library {
  readonly file: H5File;
  close(): void;
}

/** Number of opened files, which names the next file in the memory of h5wasm. */
let files = 0;

/**
 * Opens a file from bytes.
 *
 * @throws Error if h5wasm is missing; RangeError for bytes that are not HDF5.
 */
export async function openHDF5(where: string, bytes: Uint8Array, bound: Bound): Promise<Opened> {
  checkText(where, bytes);
  bound.unpacks();
  const h5 = await peerOf(where, "h5wasm", "HDF5 files", () => import("h5wasm"));
  const module = await h5.ready;
  const path = `/jarvis-snn-events-${files++}.h5`;
  module.FS.writeFile(path, bytes);
  let file: H5File | null = null;
  const close = (): void => {
    try {
      listening(module.FS, () => file?.close());
    } finally {
      module.FS.unlink(path);
    }
  };
  try {
    return heard(where, { module, bound }, "/", () => {
      file = new h5.File(path, "r");
      file.keys();
      return { file, module, bound, close };
    });
  } catch (cause) {
    close();
    throw cause;
  }
}

/**
 * Result of synchronous calls about a path of a file. Every message of the library counts as an error, since some functions report one and
 * continue with stale memory. The library's memory grows by at most the remaining bound.
 *
 * @throws RangeError with the path; errors of the reader itself are rethrown unchanged.
 */
export function heard<T>(where: string, { module, bound }: Library, path: string, call: () => T): T {
  const within = (said: () => Error | undefined): T => {
    let cause: unknown;
    try {
      const result = call();
      cause = said();
      if (cause === undefined) return result;
    } catch (thrown) {
      cause = said();
      if (cause === undefined && thrown instanceof Error && thrown.message.startsWith(`${where}: `)) throw thrown;
      cause ??= thrown;
    }
    throw new RangeError(`${where}: expected HDF5 data that h5wasm can read at ${path}, got damaged ones`, { cause });
  };
  return bounded(module, (limit) => {
    limit(bound.left);
    return listening(module.FS, within);
  });
}

/** The dataset at a path; null if there is none. The bound must suffice for a chunk, and for elements that are read together. */
export function datasetAt(where: string, opened: Opened, path: string): Dataset | null {
  return heard(where, opened, `/${path}`, () => {
    const found = opened.file.get(path) as Dataset | null;
    if (found?.type !== "Dataset") return null;
    const { chunks, shape, size } = found.metadata;
    const together = Math.max(sizeOf(chunks ?? []), Math.min(sizeOf(shape ?? []), TOGETHER));
    opened.bound.check(together * size, `a part of ${path}`);
    return found;
  });
}

/** Bytes that a value takes besides its own if it is a JavaScript object, such as a text. */
const OBJECT = 64;

/** All values of a dataset; a single number or text if it has no axes. */
export function valuesOf(where: string, opened: Opened, dataset: Dataset): Dataset["value"] {
  const { path, shape } = dataset;
  return heard(where, opened, path, () => {
    opened.bound.check(sizeOf(shape ?? []) * (dataset.metadata.size + OBJECT), path);
    return dataset.value;
  });
}

/** Number of filters built into h5wasm: deflate, shuffle, checksums, szip, bits, scales. */
const BUILT_IN = 6;
const PLUGINS: Readonly<Record<number, string>> = {
  32000: "lzf",
  32001: "blosc",
  32004: "lz4",
  32008: "bshuf",
  32015: "zstd",
  32026: "blosc2",
};
/** Number of Prophesee's compression filter. */
const ECF = 36559;

/** Node's file functions, since Node cannot fetch files; undefined in a page. */
const nodeFiles = (): { readFileSync(url: unknown): Uint8Array } | undefined =>
  (
    globalThis as { process?: { getBuiltinModule?(name: "node:fs"): { readFileSync(url: unknown): Uint8Array } } }
  ).process?.getBuiltinModule?.("node:fs");

/**
 * Loads the plugins that a dataset requires.
 *
 * @throws Error with the name of the missing filter or package.
 */
async function preparePlugins(where: string, opened: Opened, dataset: Dataset): Promise<void> {
  const { module } = opened;
  for (const { id, name } of heard(where, opened, dataset.path, () => dataset.filters)) {
    if (id <= BUILT_IN) continue;
    const plugin = PLUGINS[id];
    if (plugin === undefined) {
      const known =
        id === ECF
          ? "ECF, which Metavision's own software reads; write the file without it, or as RAW"
          : shortened(name);
      throw new Error(`${where}: expected a filter of HDF5 that h5wasm-plugins has, got number ${id} (${known})`);
    }
    const plugins = await peerOf(where, "h5wasm-plugins", `the HDF5 filter ${plugin}`, () => import("h5wasm-plugins"));
    const folder = module.get_plugin_search_paths()[0] as string;
    const file = `${folder}/libH5Z${plugin}.so`;
    if (module.FS.analyzePath(file).exists) continue;
    const fs = nodeFiles();
    if (fs === undefined) await plugins.install_plugins(module, [plugin]);
    else {
      const { URL } = globalThis as unknown as { URL: new (path: string, base: string) => unknown };
      module.FS.mkdirTree(folder);
      module.FS.writeFile(file, fs.readFileSync(new URL(`plugins/libH5Z${plugin}.so`, `${plugins.base_url}/`)));
    }
  }
}

/** Calls `use` with the bytes of the elements [from, to) of a dataset with one axis, which are valid only during the call. */
export function elementsOf<T>(
  { module }: Opened,
  dataset: Dataset,
  from: number,
  to: number,
  use: (memory: Uint8Array, at: number) => T,
): T {
  const count = [BigInt(to - from)];
  const pointer = module._malloc(dataset.metadata.size * (to - from));
  if (pointer === 0) throw new RangeError(`hdf5: expected memory for elements ${from} … ${to}`);
  try {
    const status = module.get_dataset_data(dataset.file_id, dataset.path, count, [BigInt(from)], [1n], BigInt(pointer));
    if (status < 0) throw new RangeError(`hdf5: expected elements ${from} … ${to} of ${dataset.path}`);
    return use(module.HEAPU8, pointer);
  } finally {
    module._free(pointer);
  }
}

/** Largest compression factor of any filter. Without this bound, h5wasm would return zeros for a damaged size. */
const PACKED = 1100;

/** Sensor size of DSEC, whose files do not contain it. */
const DSEC = [640, 480] as const;

/** Reads the events of DSEC, /events/{t, x, y, p} with /t_offset, or of Metavision, /CD/events. */
export async function hdf5(bytes: Uint8Array, columns: EventColumns): Promise<void> {
  const { where, bound } = columns;
  const opened = await openHDF5(where, bytes, bound);
  try {
    const datasets = datasetsOf(where, opened, PACKED * bytes.length);
    for (const dataset of datasets) await preparePlugins(where, opened, dataset);
    const [first, ...others] = datasets;
    heard(where, opened, first.path, () =>
      others.length === 0 ? readMetavision(columns, opened, first) : readDSEC(columns, opened, datasets),
    );
  } finally {
    opened.close();
  }
}

/** The event lists, each of at most `most` values: one for Metavision, four for DSEC. */
function datasetsOf(where: string, opened: Opened, most: number): [Dataset, ...Dataset[]] {
  const { file } = opened;
  const compound = datasetAt(where, opened, "CD/events");
  const paths = compound === null ? ["t", "x", "y", "p"].map((name) => `events/${name}`) : ["CD/events"];
  return paths.map((path) => {
    const dataset = compound ?? datasetAt(where, opened, path);
    return heard(where, opened, `/${path}`, () => {
      if (dataset === null) {
        throw wrongValue(
          where,
          "HDF5 of DSEC with events/{t, x, y, p} or of Metavision with CD/events",
          shortened(contentOf(file)),
        );
      }
      const { shape } = dataset;
      if (shape?.length !== 1) {
        throw wrongValue(where, `a list at ${path}`, `shape ${JSON.stringify(shape)}`);
      }
      if ((shape[0] as number) > most) {
        throw wrongValue(where, `${path} of at most ${most} values`, "more");
      }
      return dataset;
    });
  }) as [Dataset, ...Dataset[]];
}

const contentOf = (file: H5File): string =>
  file
    .keys()
    .map((name) => {
      const found = file.get(name) as Group | null;
      return found?.type === "Group" ? `${name}/{${found.keys().join(", ")}}` : name;
    })
    .join(", ");

function readDSEC(columns: EventColumns, opened: Opened, datasets: readonly Dataset[]): void {
  const [t, x, y, p] = datasets as [Dataset, Dataset, Dataset, Dataset];
  columns.sensor(...DSEC);
  const offset = datasetAt(columns.where, opened, "t_offset");
  const first = offset === null ? 0 : valuesOf(columns.where, opened, offset);
  const origin = Number(Array.isArray(first) ? first[0] : first);
  const lengths = datasets.map(({ shape }) => Number(shape?.[0]));
  const n = reserved(columns, lengths, 0);
  for (let i = 0; i < n; i += TOGETHER) {
    const end = Math.min(i + TOGETHER, n);
    const part = (dataset: Dataset): ArrayValues =>
      heard(columns.where, opened, dataset.path, () => dataset.slice([[i, end]]) as ArrayValues);
    appendArrays(columns, { t: part(t), x: part(x), y: part(y), p: part(p) }, origin, () => 0);
  }
}

function readMetavision(columns: EventColumns, opened: Opened, events: Dataset): void {
  const geometry = /^(\d+)x(\d+)/.exec(String(opened.file.attrs.geometry?.value ?? ""));
  columns.sensor(Number(geometry?.[1]), Number(geometry?.[2]));
  const { size, compound_type } = events.metadata;
  const members = ["t", "x", "y", "p"].map((name) => compound_type?.members.find((member) => member.name === name));
  const n = reserved(columns, [Number(events.shape?.[0])], 0);
  for (let i = 0; i < n; i += TOGETHER) {
    const many = Math.min(TOGETHER, n - i);
    const [t, x, y, p] = elementsOf(opened, events, i, i + many, (memory, pointer) => {
      const view = new DataView(memory.buffer);
      return members.map((member) => {
        const kind = member?.type === 0 ? `${member.signed ? "i" : "u"}${member.size}` : "";
        const values = numbersAt(view, kind, pointer + (member?.offset ?? 0), many, size);
        if (values !== null) return values;
        throw wrongValue(columns.where, "CD/events with the integers t, x, y and p", shortened(String(events.dtype)));
      });
    }) as [Float64Array, Float64Array, Float64Array, Float64Array];
    appendArrays(columns, { t, x, y, p }, 0, () => 0);
  }
}
