/**
 * Trees of arrays as HDF5 files, by the optional peer h5wasm: the library of the HDF Group in WebAssembly.
 *
 * A file is data of unknown origin, and the library trusts it in some places. A session therefore
 *   - refuses text whose lengths never lead to the end of the text: the library would read it for ever;
 *   - lets the memory of the library grow by no more than the file can need;
 *   - shows the library no other file;
 *   - takes any complaint of the library for an error: some functions complain and go on with half of the data;
 *   - gives back the stack: an exception of the library leaves its part of the stack behind.
 */
import { show } from "../../engine/arguments.ts";
import { sizeOf } from "../../engine/shape.ts";
import { listening } from "../files/hdf5.ts";
import { MAX_DEPTH, shortPath } from "./check.ts";
import type { NIRSkipped } from "./graph.ts";

/** An array of a file. Integers are read as float64, where those up to 2⁵³ are exact. */
export interface Stored {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array | readonly string[];
}

/** The objects that a reader may leave out where it cannot read them, and those that it has left out. */
export interface Optional {
  readonly paths: RegExp;
  readonly skipped: NIRSkipped[];
}

/** A group of a file, by the names in it. */
export interface Tree extends ReadonlyMap<string, Tree | Stored> {}

type Library = typeof import("h5wasm");
type Binding = Awaited<Library["ready"]>;

/** The metadata that a read looks at. */
type Metadata = ReturnType<Binding["get_dataset_metadata"]>;

/** The file of a session, in the memory of the library. */
const PATH = "/jarvis-snn.nir";
/** The library may take this much besides the data: caches, and blocks that are larger than asked for. */
const SLACK = 2 ** 24;
/** The code of a file system for a file that is not there. */
const NO_ENTRY = 44;
/** Deflate makes no file smaller than by this factor. */
const DEFLATE = 1032;
/** Bytes that an array and a text cost besides the data. */
const OVERHEAD = 64;

/** The error of a session after which the library cannot be used. */
let crash: unknown;

/** HDF5 keeps its signature, the version, and the sizes of addresses and lengths in front, or behind 512, 1024, … bytes of the user. */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** An error of a file that is read: the expected value, at a path in it, and the given one. */
const wrong = (expected: string, path: string, got: string, cause?: unknown): RangeError =>
  new RangeError(
    `${READER}: expected ${expected} at ${shortPath(path) || "/"}, got ${got}`,
    cause === undefined ? {} : { cause },
  );

/** The name of readNIR in errors. */
export const READER = "readNIR";

/**
 * The groups and arrays of these names in the root of a file.
 *
 * @throws RangeError if the bytes are no such file, or ask for more than `maxBytes`; Error if the peer is missing.
 */
export async function readTree(
  bytes: Uint8Array,
  names: string[],
  maxBytes: number,
  optional: Optional,
): Promise<Tree> {
  checkText(bytes);
  return session(READER, (opened) => {
    const { m, limit, said } = opened;
    m.FS.writeFile(PATH, bytes);
    limit(bytes.length);
    const id = m.open(PATH, m.H5F_ACC_RDONLY, false, -1, -1);
    if (id < 0n) throw wrong("a whole HDF5 file", "", `${bytes.length} bytes that are none`, said());
    try {
      return readerOf(opened, id, Math.min(maxBytes, DEFLATE * bytes.length), optional).treeAt("", 0, names);
    } finally {
      m.close_file(id);
    }
  });
}

/**
 * A file with this tree.
 *
 * @throws Error if the peer is missing, or has no memory for the file.
 */
export async function writeTree(where: string, tree: Tree): Promise<Uint8Array> {
  return session(where, ({ library, m, limit, said }) => {
    limit(Infinity);
    const file = new library.File(PATH, "w");
    try {
      write(file, tree);
    } finally {
      file.close();
    }
    const cause = said();
    if (cause !== undefined) throw broken(where, "an error in a file", cause);
    return m.FS.readFile(PATH, { encoding: "binary" });
  });
}

function write(group: InstanceType<Library["Group"]>, tree: Tree): void {
  for (const [name, item] of tree) {
    if (item instanceof Map) {
      write(group.create_group(name), item);
    } else {
      const { shape, data } = item as Stored;
      // Text has no length of its own in a file.
      const dtype = !ArrayBuffer.isView(data)
        ? "S"
        : data instanceof BigInt64Array
          ? "<q"
          : data instanceof Float32Array
            ? "<f"
            : "<d";
      group.create_dataset({ name, data: data as string[], shape: [...shape], dtype });
    }
  }
}

/** Reads groups and arrays of an open file, each group once, and arrays of `left` bytes together. */
function readerOf({ m, limit, said }: Session, id: bigint, left: number, { paths, skipped }: Optional) {
  /** Addresses of the groups that were read. */
  const seen = new Set<string>();

  /** The result of a call about a path, unless the library complains. */
  function heard<T>(path: string, call: () => T): T {
    let result: T | undefined;
    let error: unknown;
    try {
      result = call();
    } catch (thrown) {
      // A trap is no complaint: it is for the session.
      if (isCrash(thrown)) throw thrown;
      error = thrown;
    }
    error = said() ?? error;
    if (error !== undefined) throw wrong("data that can be read", path, "damaged data", error);
    return result as T;
  }

  /** Leaves out an object that may be left out, and throws for any other. */
  function leave(expected: string, path: string, got: string): undefined {
    if (!paths.test(path)) throw wrong(expected, path, got);
    skipped.push({ path, got });
  }

  /** The groups and arrays in a group, or only the ones of these names. */
  function treeAt(path: string, depth: number, names?: readonly string[]): Tree {
    const tree = new Map<string, Tree | Stored>();
    for (const name of heard(path, () => m.get_names(id, path || "/", false))) {
      const item = names?.includes(name) === false ? undefined : itemAt(`${path}/${name}`, depth + 1);
      if (item !== undefined) tree.set(name, item);
    }
    return tree;
  }

  function itemAt(path: string, depth: number): Tree | Stored | undefined {
    const type = heard(path, () => m.get_type(id, path));
    if (type === m.H5G_DATASET) return arrayAt(path);
    // A link that leads nowhere has the type of the link, or by chance another one, and no address.
    const address =
      type === m.H5G_GROUP
        ? heard(path, () => m.create_object_reference(id, path))
            .slice(0, 8)
            .join()
        : "";
    if (/^[0,]*$/.test(address)) return leave("a group or an array", path, "another object, or none");
    // A group that is linked twice would be read for ever, or more often than there is memory.
    if (seen.has(address)) return leave("a tree of groups", path, "a second link to one group");
    if (depth > MAX_DEPTH) throw wrong(`at most ${MAX_DEPTH} groups in each other`, path, "more");
    seen.add(address);
    return treeAt(path, depth);
  }

  function arrayAt(path: string): Stored | undefined {
    const metadata = heard(path, () => m.get_dataset_metadata(id, path));
    const { shape, chunks, size, vlen, type } = metadata;
    if (shape === null) return leave("an array", path, "an empty array without a shape");
    const n = sizeOf(shape);
    const bytes = n * size;
    const chunk = chunks === null ? 0 : sizeOf(chunks) * size;
    const cost = (vlen ? n * OVERHEAD : bytes) + OVERHEAD;
    if (!(cost + chunk <= left)) {
      const got = `${show(shape)} × ${size} bytes${chunks === null ? "" : ` in chunks of ${show(chunks)}`}`;
      throw wrong(`at most ${left} bytes more, by maxBytes and the size of the file,`, path, got);
    }
    left -= cost;
    const decode = decoderOf(m, metadata);
    if (decode === null) return leave("numbers or text", path, `HDF5 type ${type} of ${size} bytes`);
    if (n === 0) return { shape, data: decode(new ArrayBuffer(0)) };
    limit(4 * (bytes + chunk));
    const at = m._malloc(bytes);
    if (at === 0) throw wrong(`memory for ${bytes} bytes`, path, "none");
    try {
      m.HEAPU8.fill(0, at, at + bytes);
      const status = heard(path, () => m.get_dataset_data(id, path, null, null, null, BigInt(at)));
      if (status < 0) throw wrong("data that can be read", path, "damaged data");
      const data = decode(m.HEAPU8.slice(at, at + bytes).buffer);
      if (vlen) m.reclaim_vlen_memory(id, path, "", BigInt(at));
      return { shape, data };
    } finally {
      m._free(at);
    }
  }

  return { treeAt };
}

/** Turns the bytes of an array into values; null for a type that is neither a number nor text. */
function decoderOf(m: Binding, metadata: Metadata): ((bytes: ArrayBuffer) => Stored["data"]) | null {
  const { type, size, signed, vlen, strpad, enum_type } = metadata;
  const { H5T_INTEGER, H5T_FLOAT, H5T_STRING, H5T_ENUM } = m.H5T_class_t;
  if (type === H5T_FLOAT.value && size === 4) return (bytes) => new Float32Array(bytes);
  if (type === H5T_FLOAT.value && size === 8) return (bytes) => new Float64Array(bytes);
  if (type === H5T_STRING.value && vlen) return (bytes) => Array.from(new Uint32Array(bytes), (p) => m.UTF8ToString(p));
  if (type === H5T_STRING.value && size > 0) return (bytes) => fixed(new Uint8Array(bytes), size, strpad === 2);
  if (type !== H5T_INTEGER.value && !(type === H5T_ENUM.value && enum_type?.type === H5T_INTEGER.value)) return null;
  const kind = INTEGERS[`${signed ? "" : "u"}${size}`];
  return kind === undefined ? null : (bytes) => Float64Array.from(new kind(bytes) as ArrayLike<number>, Number);
}

type Integers = new (bytes: ArrayBuffer) => ArrayLike<number | bigint>;

const INTEGERS: Readonly<Record<string, Integers>> = {
  1: Int8Array,
  2: Int16Array,
  4: Int32Array,
  8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
};

/** Text of one length: it ends at the first 0, or before the spaces at its end. */
function fixed(bytes: Uint8Array, size: number, spaces: boolean): string[] {
  const decoder = new TextDecoder("utf-8");
  return Array.from({ length: bytes.length / size }, (_, i) => {
    const text = decoder.decode(bytes.subarray(i * size, (i + 1) * size)).replace(/\0[\s\S]*$/, "");
    return spaces ? text.replace(/ +$/, "") : text;
  });
}

/**
 * Throws unless every collection of text in a file has an end.
 *
 *   "GCOL" 1 0 0 0 | bytes of the collection | objects: index (2), references (2), 0 (4), bytes (8), content up to a multiple of 8
 *
 * An object of index 0 is free space, and counts its own header. The library adds up these bytes without a look at the
 * sum.
 */
function checkText(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fail = (at: number, got: string) => wrong("an HDF5 file", `byte ${at}`, got);
  let start = 0;
  const isOver = () => start + 48 > bytes.length;
  while (!isOver() && SIGNATURE.some((byte, i) => byte !== bytes[start + i])) start = Math.max(512, 2 * start);
  if (isOver()) throw fail(0, "no signature of one");
  const sizes = start + ((bytes[start + 8] as number) < 2 ? 13 : 9);
  if (bytes[sizes] !== 8 || bytes[sizes + 1] !== 8) throw fail(sizes, "addresses or lengths of other than 8 bytes");
  // Collections do not overlap: no more objects are there than have room in the file.
  let left = bytes.length / 8;
  const lengthAt = (p: number): number => view.getUint32(p, true) + 2 ** 32 * view.getUint32(p + 4, true);
  for (let i = bytes.indexOf(0x47); i >= 0 && i + 16 <= bytes.length; i = bytes.indexOf(0x47, i + 1)) {
    if (view.getUint32(i) !== 0x47434f4c || bytes[i + 4] !== 1) continue;
    const end = i + lengthAt(i + 8);
    // The library itself refuses a collection that ends behind the file.
    if (end > bytes.length) continue;
    for (let p = i + 16; p + 16 <= end; ) {
      const length = lengthAt(p + 8);
      const step = view.getUint16(p, true) === 0 ? length : 16 + 8 * Math.ceil(length / 8);
      if (step < 16 || step > end - p || --left < 0) throw fail(p, "damaged text");
      p += step;
    }
  }
}

/** A trap of WebAssembly, or a stack that was too small: the library stopped in the middle. */
const isCrash = (error: unknown): boolean =>
  error instanceof Error && (error.name === "RuntimeError" || /call stack|recursion/.test(error.message));

/** Parts of the file system that its types leave out. */
type FileSystem = Binding["FS"] & {
  readonly ErrnoError: new (code: number) => Error;
};

/** The library at work on one file. */
interface Session {
  readonly library: Library;
  readonly m: Binding;
  /** Lets the memory of the library grow by this many bytes and no more. */
  limit(bytes: number): void;
  /** The complaints of the library since the last call. */
  said(): Error | undefined;
}

async function session<T>(where: string, use: (session: Session) => T): Promise<T> {
  const library = await load(where);
  const m = await library.ready.catch((cause: unknown) => {
    throw broken(where, "one that cannot start", cause);
  });
  if (crash !== undefined) throw stopped(where);
  const FS = m.FS as FileSystem;
  const { prototype } = WebAssembly.Memory;
  const { open } = FS;
  const { grow } = prototype;
  let most = 0;
  const limit = (bytes: number) => {
    // The library asks for a part of its memory more than it needs.
    most = 1.06 * (m.HEAPU8.length + SLACK + bytes);
  };
  let result: T | undefined;
  let failure: unknown;
  try {
    // Nothing else runs before these are set back. A realm that has frozen them does without.
    Reflect.set(prototype, "grow", function (this: typeof WebAssembly.Memory.prototype, pages: number) {
      if (this.buffer.byteLength + 65536 * pages > most) throw new RangeError(`${where}: no memory for this file`);
      return grow.call(this, pages);
    });
    Reflect.set(FS, "open", (path: unknown, ...rest: unknown[]) => {
      if (typeof path === "string" && path !== PATH) throw new FS.ErrnoError(NO_ENTRY);
      return Reflect.apply(open, FS, [path, ...rest]);
    });
    listening(FS, (said) => {
      // `ccall` puts the stack back to where it was before a function with text as an argument.
      Reflect.set(m, "_jarvis", () => {
        try {
          result = use({ library, m, limit, said });
        } catch (error) {
          failure = error;
        }
      });
      m.ccall("jarvis" as never, null, ["string"] as never, [""] as never);
    });
  } finally {
    Reflect.deleteProperty(m, "_jarvis");
    Reflect.set(FS, "open", open);
    Reflect.set(prototype, "grow", grow);
    if (FS.analyzePath(PATH).exists) FS.unlink(PATH);
  }
  if (isCrash(failure)) crash = failure;
  if (failure !== undefined) throw crash === undefined ? failure : stopped(where);
  return result as T;
}

/** The error of a session that the library cannot serve. */
const broken = (where: string, got: string, cause: unknown): Error =>
  new Error(`${where}: expected h5wasm at work, got ${got}`, { cause });

/** The error after a trap, which leaves the library in the middle of something. */
const stopped = (where: string): Error =>
  broken(where, "one that a file has stopped; start a new page, worker or process", crash);

const load = (where: string): Promise<Library> =>
  import("h5wasm").catch((cause: unknown) => {
    throw broken(where, "none; install it: npm install h5wasm", cause);
  });
