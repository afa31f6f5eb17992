/** HDF5 files for tests, by the peer itself. */
import h5wasm, { type File, type Group } from "h5wasm";

const PATH = "/test.h5";

/** The bytes of a file that `write` fills, in the oldest form, which has no checksums: tests change bytes of it. */
export async function fileOf(write: (file: File) => void): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File(PATH, "w", { libver: ["earliest", "latest"] });
  try {
    write(file);
  } finally {
    file.close();
  }
  const bytes = FS.readFile(PATH, { encoding: "binary" });
  FS.unlink(PATH);
  return bytes;
}

/** Writes an outermost graph with these edges, and gives the group of its nodes. */
export function graphGroup(file: File, edges: readonly (readonly string[])[] = [], dtype = "S"): Group {
  const graph = file.create_group("node");
  graph.create_dataset({ name: "type", data: "NIRGraph", dtype });
  graph.create_dataset({ name: "edges", data: edges.flat(), shape: [edges.length, edges[0]?.length ?? 2], dtype });
  return graph.create_group("nodes");
}
