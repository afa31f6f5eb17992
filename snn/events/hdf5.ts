/** HDF5 files of DSEC and of Metavision. The package h5wasm reads them, with h5wasm-plugins for the compression of DSEC. */
import type { Dataset, Group, File as H5File } from "h5wasm";
import { listening } from "../files/hdf5.ts";
import { type ArrayValues, append, numbersAt } from "./arrays.ts";
import { asciiText, HDF5_NAME } from "./decoder.ts";
import { peerOf } from "./peers.ts";
import type { EventColumns } from "./recording.ts";

type H5 = typeof import("h5wasm");
type Module = Awaited<H5["ready"]>;

/** A file that lies in the memory of h5wasm. */
export interface Opened {
  readonly file: H5File;
  readonly module: Module;
  close(): void;
}

/** The number of opened files, for the name of the next file in the memory of h5wasm. */
let files = 0;

/**
 * Opens a file from bytes.
 *
 * @throws Error where h5wasm is missing; RangeError for bytes that are no HDF5.
 */
export async function openHDF5(where: string, bytes: Uint8Array): Promise<Opened> {
  if (asciiText(bytes, 1, 8) !== HDF5_NAME) {
    throw new RangeError(`${where}: expected an HDF5 file, got ${bytes.length} bytes that are none`);
  }
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
    return heard(where, module, "/", () => {
      file = new h5.File(path, "r");
      file.keys();
      return { file, module, close };
    });
  } catch (cause) {
    close();
    throw cause;
  }
}

/**
 * The result of synchronous calls about a path of a file. Any complaint of the library is an error: some functions complain and go on with
 * the memory as it is.
 *
 * @throws RangeError that names the path; an error of the reader itself unchanged.
 */
export function heard<T>(where: string, module: Module, path: string, call: () => T): T {
  return listening(module.FS, (said) => {
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
  });
}

/** The dataset at a path; null where another thing is there, or nothing. */
export function datasetAt(where: string, { file, module }: Opened, path: string): Dataset | null {
  return heard(where, module, `/${path}`, () => {
    const found = file.get(path) as { readonly type?: string } | null;
    return found?.type === "Dataset" ? (found as Dataset) : null;
  });
}

/** Filters that h5wasm has by itself: deflate, shuffle, checksums, szip, bits, scales. */
const BUILT_IN = 6;
/** Filters that h5wasm-plugins has, by number. */
const PLUGINS: Readonly<Record<number, string>> = {
  32000: "lzf",
  32001: "blosc",
  32004: "lz4",
  32008: "bshuf",
  32015: "zstd",
  32026: "blosc2",
};
/** The filter of Prophesee's own compression. */
const ECF = 36559;

/** The files of Node, which has no fetch for them; nothing in a page. */
const nodeFiles = (): { readFileSync(url: unknown): Uint8Array } | undefined =>
  (
    globalThis as { process?: { getBuiltinModule?(name: "node:fs"): { readFileSync(url: unknown): Uint8Array } } }
  ).process?.getBuiltinModule?.("node:fs");

/**
 * Loads the plugins that a dataset needs.
 *
 * @throws Error that names the filter or the package that is missing.
 */
async function preparePlugins(where: string, module: Module, dataset: Dataset): Promise<void> {
  for (const { id, name } of heard(where, module, dataset.path, () => dataset.filters)) {
    if (id <= BUILT_IN) continue;
    const plugin = PLUGINS[id];
    if (plugin === undefined) {
      const known =
        id === ECF ? "ECF, which Metavision's own software reads; write the file without it, or as RAW" : name;
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

/** Calls `use` with the bytes of elements [from, to) of a dataset with one axis, which are in the memory of h5wasm only then. */
export function elementsOf<T>(
  module: Module,
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

/** More bytes than any filter packs into one. Without this bound, a damaged size would make h5wasm give as many zeros. */
const PACKED = 1100;

/** Events that are read together. */
const TOGETHER = 1 << 20;
/** Sensors of DSEC, whose files name none. */
const DSEC = [640, 480] as const;

/** Reads the events of DSEC, /events/{t, x, y, p} with /t_offset, or of Metavision, /CD/events. */
export async function hdf5(bytes: Uint8Array, columns: EventColumns): Promise<void> {
  const { where } = columns;
  const opened = await openHDF5(where, bytes);
  const { module, close } = opened;
  try {
    const datasets = datasetsOf(where, opened, PACKED * bytes.length);
    for (const dataset of datasets) await preparePlugins(where, module, dataset);
    const [first, ...others] = datasets;
    heard(where, module, first.path, () =>
      others.length === 0 ? readMetavision(columns, opened, first) : readDSEC(columns, opened, datasets),
    );
  } finally {
    close();
  }
}

/** The lists of events, each of at most `most` values: one of Metavision, or the four of DSEC. */
function datasetsOf(where: string, opened: Opened, most: number): [Dataset, ...Dataset[]] {
  const { file, module } = opened;
  const compound = datasetAt(where, opened, "CD/events");
  const paths = compound === null ? ["t", "x", "y", "p"].map((name) => `events/${name}`) : ["CD/events"];
  return paths.map((path) => {
    const dataset = compound ?? datasetAt(where, opened, path);
    return heard(where, module, `/${path}`, () => {
      if (dataset === null) {
        throw new RangeError(
          `${where}: expected HDF5 of DSEC with events/{t, x, y, p} or of Metavision with CD/events, got ${contentOf(file)}`,
        );
      }
      const { shape } = dataset;
      if (shape?.length !== 1) {
        throw new RangeError(`${where}: expected a list at ${path}, got shape ${JSON.stringify(shape)}`);
      }
      if ((shape[0] as number) > most) {
        throw new RangeError(`${where}: expected ${path} of at most ${most} values, got more`);
      }
      return dataset;
    });
  }) as [Dataset, ...Dataset[]];
}

/** The names in a file, and in its groups. */
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
  const origin = offset === null ? 0 : Number(Array.isArray(offset.value) ? offset.value[0] : offset.value);
  const n = Math.max(...[t, x, y, p].map((dataset) => Number(dataset.shape?.[0])));
  for (let i = 0; i < n; i += TOGETHER) {
    const part = (dataset: Dataset): ArrayValues =>
      heard(
        columns.where,
        opened.module,
        dataset.path,
        () => dataset.slice([[i, Math.min(i + TOGETHER, Number(dataset.shape?.[0]))]]) as ArrayValues,
      );
    append(columns, { t: part(t), x: part(x), y: part(y), p: part(p) }, origin, () => 0);
  }
}

function readMetavision(columns: EventColumns, { file, module }: Opened, events: Dataset): void {
  const geometry = /^(\d+)x(\d+)/.exec(String(file.attrs.geometry?.value ?? ""));
  columns.sensor(Number(geometry?.[1]), Number(geometry?.[2]));
  const { size, compound_type } = events.metadata;
  const members = ["t", "x", "y", "p"].map((name) => compound_type?.members.find((member) => member.name === name));
  const n = Number(events.shape?.[0]);
  for (let i = 0; i < n; i += TOGETHER) {
    const many = Math.min(TOGETHER, n - i);
    const [t, x, y, p] = elementsOf(module, events, i, i + many, (memory, pointer) => {
      const view = new DataView(memory.buffer);
      return members.map((member) => {
        const kind = member?.type === 0 ? `${member.signed ? "i" : "u"}${member.size}` : "";
        const values = numbersAt(view, kind, pointer + (member?.offset ?? 0), many, size);
        if (values !== null) return values;
        throw new RangeError(
          `${columns.where}: expected CD/events with the integers t, x, y and p, got ${events.dtype}`,
        );
      });
    }) as [Float64Array, Float64Array, Float64Array, Float64Array];
    append(columns, { t, x, y, p }, 0, () => 0);
  }
}
