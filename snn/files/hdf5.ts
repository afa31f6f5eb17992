/** Complaints of h5wasm, the library of the HDF Group in WebAssembly, as errors: all readers of HDF5 files take them. */

/** Parts of the file system of the library that its types leave out. */
interface FileSystem {
  readonly streams: readonly ({ stream_ops: object | undefined } | null | undefined)[];
}

/**
 * Calls `use`, while the complaints of the library do not go to stderr. `said` returns those since its last call. `use` is synchronous,
 * since another reader takes the complaints of its own calls in the same way.
 */
export function listening<T>(FS: object, use: (said: () => Error | undefined) => T): T {
  const errors = (FS as FileSystem).streams[2];
  const print = errors?.stream_ops;
  const decoder = new TextDecoder("utf-8");
  let text = "";
  const write = (_: unknown, bytes: Uint8Array, from: number, n: number) => {
    text += decoder.decode(bytes.subarray(from, from + n));
    return n;
  };
  if (errors) errors.stream_ops = { ...print, write };
  try {
    return use(() => {
      const cause = text === "" ? undefined : new Error(text);
      text = "";
      return cause;
    });
  } finally {
    if (errors) errors.stream_ops = print;
  }
}
