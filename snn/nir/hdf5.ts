/**
 * Trees of arrays in HDF5 files, through the optional peer dependency h5wasm: the HDF Group's library in WebAssembly.
 *
 * Files are untrusted, but the library trusts them in some places. A session therefore
 *   - rejects text whose lengths never reach the end of the text, which the library would read forever;
 *   - limits the growth of the library's memory to the most that the file can need;
 *   - hides all other files from the library;
 *   - treats any message of the library as an error, since some functions report one and continue with half of the data;
 *   - restores the stack, since an exception of the library does not release its stack frame.
 */
import { show } from "../../engine/arguments.ts";
import { sizeOf } from "../../engine/shape.ts";
import { bounded, checkText, listening } from "../files/hdf5.ts";
import { MAX_DEPTH, shortPath } from "./check.ts";
import type { NIRSkipped } from "./graph.ts";

/** An array of a file. Integers are read as float64, which is exact up to 2⁵³. */
export interface Stored {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array | readonly string[];
}

/** Which unreadable objects may be skipped, and those that were. */
export interface Optional {
  has(path: string): boolean;
  readonly skipped: NIRSkipped[];
}

/** A group of a file: its members by name. */
export interface Tree extends ReadonlyMap<string, Tree | Stored> {}

type Library = typeof import("h5wasm");
type Binding = Awaited<Library["ready"]>;

type Metadata = ReturnType<Binding["get_dataset_metadata"]>;

/** Path of the session's file in the library's file system. */
const PATH = "/jarvis-snn.nir";
/** Error code of the file system for a missing file. */
const NO_ENTRY = 44;
const DEFLATE = 1032;
/** Bytes of overhead of an array or a text. */
const OVERHEAD = 64;

/** Error of a session that left the library unusable. */
let crash: unknown;

/** An error of a file: expected value, path in the file, actual value. */
const wrong = (expected: string, path: string, got: string, cause?: unknown): RangeError =>
  new RangeError(
    `${READER}: expected ${expected} at ${shortPath(path) || "/"}, got ${got}`,
    cause === undefined ? {} : { cause },
  );

/** Name of the reader in errors. */
export const READER = "readNIR";

/**
 * Reads the groups and arrays of these names in the root of a file.
 *
 * @throws RangeError if the bytes are not an HDF5 file, or need more than `maxBytes`; Error if the peer dependency is missing.
 */
export async function readTree(
  bytes: Uint8Array,
  names: string[],
  maxBytes: number,
  optional: Optional,
): Promise<Tree> {
  checkText(READER, bytes);
  return session(READER, (opened) => {
    const { m, limit, said } = opened;
    m.FS.writeFile(PATH, bytes);
    limit(bytes.length);
    const id = m.open(PATH, m.H5F_ACC_RDONLY, false, -1, -1);
    if (id < 0n) throw wrong("a whole HDF5 file", "", `${bytes.length} bytes that are none`, said());
    try {
      return new Reader(opened, id, maxBytes, DEFLATE * bytes.length, optional).treeAt("", 0, names);
    } finally {
      m.close_file(id);
    }
  });
}

/**
 * Writes this tree to a file.
 *
 * @throws Error if the peer dependency is missing or runs out of memory.
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
      // HDF5 stores no length for text.
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

/**
 * Reads groups and arrays of an open file, each group once. `left` bytes of memory, and `unpacked` bytes of uncompressed data, are left for
 * arrays.
 */
class Reader {
  private readonly session: Session;
  private readonly id: bigint;
  private left: number;
  private unpacked: number;
  private readonly optional: Optional;
  private readonly seen = new Set<string>();

  constructor(session: Session, id: bigint, left: number, unpacked: number, optional: Optional) {
    this.session = session;
    this.id = id;
    this.left = left;
    this.unpacked = unpacked;
    this.optional = optional;
  }

  /** Groups and arrays of a group; with `names`, only these. */
  treeAt(path: string, depth: number, names?: readonly string[]): Tree {
    const { m } = this.session;
    const tree = new Map<string, Tree | Stored>();
    for (const name of this.heard(path, () => m.get_names(this.id, path || "/", false))) {
      const item = names?.includes(name) === false ? undefined : this.itemAt(`${path}/${name}`, depth + 1);
      if (item !== undefined) tree.set(name, item);
    }
    return tree;
  }

  /** Result of a call about a path; throws if the library reports an error. */
  private heard<T>(path: string, call: () => T): T {
    let result: T | undefined;
    let error: unknown;
    try {
      result = call();
    } catch (thrown) {
      // The session handles traps.
      if (isCrash(thrown)) throw thrown;
      error = thrown;
    }
    error = this.session.said() ?? error;
    if (error !== undefined) throw wrong("data that can be read", path, "damaged data", error);
    return result as T;
  }

  /** Skips an object if that is allowed; otherwise throws. */
  private leave(expected: string, path: string, got: string): undefined {
    if (!this.optional.has(path)) throw wrong(expected, path, got);
    this.optional.skipped.push({ path, got });
  }

  private itemAt(path: string, depth: number): Tree | Stored | undefined {
    const { m } = this.session;
    const type = this.heard(path, () => m.get_type(this.id, path));
    if (type === m.H5G_DATASET) return this.arrayAt(path);
    // For a dangling link, the library reports no address, and the type of links or by chance a different one.
    const address =
      type === m.H5G_GROUP
        ? this.heard(path, () => m.create_object_reference(this.id, path))
            .slice(0, 8)
            .join()
        : "";
    if (/^[0,]*$/.test(address)) return this.leave("a group or an array", path, "another object, or none");
    // A group that is linked twice could be read forever, or more often than memory allows.
    if (this.seen.has(address)) return this.leave("a tree of groups", path, "a second link to one group");
    if (depth > MAX_DEPTH) throw wrong(`at most ${MAX_DEPTH} groups in each other`, path, "more");
    this.seen.add(address);
    return this.treeAt(path, depth);
  }

  private arrayAt(path: string): Stored | undefined {
    const { m } = this.session;
    const metadata = this.heard(path, () => m.get_dataset_metadata(this.id, path));
    const { shape, size, type } = metadata;
    if (shape === null) return this.leave("an array", path, "an empty array without a shape");
    const decoder = decoderOf(m, metadata);
    if (decoder === null) return this.leave("numbers or text", path, `HDF5 type ${type} of ${size} bytes`);
    const n = sizeOf(shape);
    this.take(path, metadata, n, decoder.more);
    return {
      shape,
      data: n === 0 ? decoder.decode(new ArrayBuffer(0)) : this.dataAt(path, metadata, n * size, decoder),
    };
  }

  /** Subtracts an array from the remaining budget; throws if it is too large. */
  private take(path: string, { shape, chunks, size, vlen }: Metadata, n: number, more: number): void {
    const chunk = chunks === null ? 0 : sizeOf(chunks) * size;
    const stored = (vlen ? n * OVERHEAD : n * size) + OVERHEAD;
    const cost = stored + n * more;
    if (!(cost + chunk <= this.left && stored + chunk <= this.unpacked)) {
      const got = `${show(shape)} × ${size} bytes${chunks === null ? "" : ` in chunks of ${show(chunks)}`}`;
      const most = Math.min(this.left, this.unpacked);
      throw wrong(`at most ${most} bytes more, by maxBytes and the size of the file,`, path, got);
    }
    this.left -= cost;
    this.unpacked -= stored;
    if (n > 0) this.session.limit(4 * (n * size + chunk));
  }

  private dataAt(path: string, { vlen }: Metadata, bytes: number, { decode }: Decoder): Stored["data"] {
    const { m } = this.session;
    const at = m._malloc(bytes);
    if (at === 0) throw wrong(`memory for ${bytes} bytes`, path, "none");
    try {
      m.HEAPU8.fill(0, at, at + bytes);
      const status = this.heard(path, () => m.get_dataset_data(this.id, path, null, null, null, BigInt(at)));
      if (status < 0) throw wrong("data that can be read", path, "damaged data");
      const data = decode(m.HEAPU8.slice(at, at + bytes).buffer);
      if (vlen) m.reclaim_vlen_memory(this.id, path, "", BigInt(at));
      return data;
    } finally {
      m._free(at);
    }
  }
}

/** Decodes the bytes of an array; each value needs `more` bytes in addition to those in the file. */
interface Decoder {
  readonly more: number;
  decode(bytes: ArrayBuffer): Stored["data"];
}

/** Decoder of an array; null unless the type is a number or text. */
function decoderOf(m: Binding, metadata: Metadata): Decoder | null {
  const { type, size, signed, vlen, strpad, enum_type } = metadata;
  const { H5T_INTEGER, H5T_FLOAT, H5T_STRING, H5T_ENUM } = m.H5T_class_t;
  const as = (decode: Decoder["decode"], more = 0): Decoder => ({ more, decode });
  if (type === H5T_FLOAT.value && size === 4) return as((bytes) => new Float32Array(bytes));
  if (type === H5T_FLOAT.value && size === 8) return as((bytes) => new Float64Array(bytes));
  if (type === H5T_STRING.value && vlen) {
    return as((bytes) => Array.from(new Uint32Array(bytes), (p) => m.UTF8ToString(p)));
  }
  if (type === H5T_STRING.value && size > 0) return as((b) => fixed(new Uint8Array(b), size, strpad === 2), OVERHEAD);
  if (type !== H5T_INTEGER.value && !(type === H5T_ENUM.value && enum_type?.type === H5T_INTEGER.value)) return null;
  const kind = INTEGERS[`${signed ? "" : "u"}${size}`];
  return kind === undefined
    ? null
    : as((bytes) => Float64Array.from(new kind(bytes) as ArrayLike<number>, Number), 8 - size);
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

const SPACE = 32;

/** Text of fixed length; ends at the first 0, or before trailing spaces. */
function fixed(bytes: Uint8Array, size: number, spaces: boolean): string[] {
  const decoder = new TextDecoder("utf-8");
  return Array.from({ length: bytes.length / size }, (_, i) => {
    const text = bytes.subarray(i * size, (i + 1) * size);
    let end = text.indexOf(0);
    if (end < 0) end = size;
    if (spaces) while (text[end - 1] === SPACE) end--;
    return decoder.decode(text.subarray(0, end));
  });
}

/** Whether an error is a trap of WebAssembly or a stack overflow, after which the library's state is inconsistent. */
const isCrash = (error: unknown): boolean =>
  error instanceof Error && (error.name === "RuntimeError" || /call stack|recursion/.test(error.message));

/** Members of the file system that its types omit. */
type FileSystem = Binding["FS"] & {
  readonly ErrnoError: new (code: number) => Error;
};

/** The library while it processes one file. */
interface Session {
  readonly library: Library;
  readonly m: Binding;
  /** Limits the growth of the library's memory to this many bytes. */
  limit(bytes: number): void;
  /** Errors that the library reported since the last call. */
  said(): Error | undefined;
}

async function session<T>(where: string, use: (session: Session) => T): Promise<T> {
  const library = await load(where);
  const m = await library.ready.catch((cause: unknown) => {
    throw broken(where, "one that cannot start", cause);
  });
  if (crash !== undefined) throw stopped(where);
  const FS = m.FS as FileSystem;
  const { open } = FS;
  let result: T | undefined;
  let failure: unknown;
  try {
    // Nothing else runs before this is restored. If the realm has frozen FS, other files are not hidden.
    Reflect.set(FS, "open", (path: unknown, ...rest: unknown[]) => {
      if (typeof path === "string" && path !== PATH) throw new FS.ErrnoError(NO_ENTRY);
      return Reflect.apply(open, FS, [path, ...rest]);
    });
    const run = (limit: Session["limit"], said: Session["said"]) => {
      // `use` runs inside of `ccall` with a text argument, because then `ccall` restores the stack pointer afterwards.
      Reflect.set(m, "_jarvis", () => {
        try {
          result = use({ library, m, limit, said });
        } catch (error) {
          failure = error;
        }
      });
      m.ccall("jarvis" as never, null, ["string"] as never, [""] as never);
    };
    bounded(m, (limit) => listening(FS, (said) => run(limit, said)));
  } finally {
    Reflect.deleteProperty(m, "_jarvis");
    Reflect.set(FS, "open", open);
    if (FS.analyzePath(PATH).exists) FS.unlink(PATH);
  }
  if (isCrash(failure)) crash = failure;
  if (failure !== undefined) throw crash === undefined ? failure : stopped(where);
  return result as T;
}

/** Error of a session that the library cannot serve. */
const broken = (where: string, got: string, cause: unknown): Error =>
  new Error(`${where}: expected h5wasm at work, got ${got}`, { cause });

/** Error after a trap, which leaves the library in an inconsistent state. */
const stopped = (where: string): Error =>
  broken(where, "one that a file has stopped; start a new page, worker or process", crash);

const load = (where: string): Promise<Library> =>
  import("h5wasm").catch((cause: unknown) => {
    throw broken(where, "none; install it: npm install h5wasm", cause);
  });
