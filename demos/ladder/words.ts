/** The rungs in words: what each adds to the one before, the declaration that shows it, and where it has grown up in the package. */

export interface Words {
  /** The name of its file in rungs/. */
  readonly name: string;
  readonly title: string;
  /** One sentence: the change that makes this rung faster than the rung before. */
  readonly adds: string;
  /** The file and the first line of the declaration that shows this. */
  readonly shown: { readonly file: string; readonly begins: string };
  /** The room, or the file, of the package that does the same for all programs; null where the package has left it out. */
  readonly room: string | null;
  /** A step with one sample and so few time steps, whose time is multiplied by the samples and time steps of a whole one. */
  readonly part?: { readonly rows: number; readonly T: number };
}

const rung = (name: string): string => `demos/ladder/rungs/${name}.ts`;

export const LADDER = [
  {
    name: "scalars",
    title: "Scalars with closures",
    adds: "Each number is an object with a function that passes its gradient on, as in micrograd.",
    shown: { file: rung("scalars"), begins: "class Value {" },
    room: null,
    part: { rows: 1, T: 5 },
  },
  {
    name: "arrays",
    title: "Arrays",
    adds: "One object and one function serve all numbers of a tensor, and an op is a loop. This is `demos/nano/nano-js.ts`.",
    shown: { file: "demos/nano/nano-js.ts", begins: "export function linear(" },
    room: "kernels/reference/",
  },
  {
    name: "loops",
    title: "Compiled loops",
    adds: "AssemblyScript compiles the same loops over one linear memory, without SIMD.",
    shown: { file: "demos/ladder/assembly/loops.ts", begins: "export function linearGrad(" },
    room: "kernels/",
  },
  {
    name: "simd",
    title: "SIMD kernels",
    adds: "Kernels of the package compute four numbers at a time, in blocks that stay in the caches (nano).",
    shown: { file: "demos/nano/nano.ts", begins: "export function linear(" },
    room: "kernels/matmul.ts",
  },
  {
    name: "bits",
    title: "Spikes as bits",
    adds: "A product with spikes adds up the rows that their bits name; what needs no gradient gets none.",
    shown: { file: rung("bits"), begins: "function linear(" },
    room: "engine/forms/products.ts",
  },
  {
    name: "memory",
    title: "The memory of a tape",
    adds: "A step is recorded once and played: it makes no object and no block, and layers write over what is not read again.",
    shown: { file: rung("memory"), begins: "const training:" },
    room: "engine/core/tape.ts",
  },
  {
    name: "package",
    title: "The package",
    adds: "Any network, checked and recorded anew in each step: the package chooses by the data how to multiply.",
    shown: { file: rung("package"), begins: "export const toy:" },
    room: "engine/",
  },
  {
    name: "threads",
    title: "The package with threads",
    adds: "Cores share the work of a kernel; each sum keeps its order.",
    shown: { file: rung("threads"), begins: "export const enter" },
    room: "engine/threads/",
  },
] as const satisfies readonly Words[];

export type RungName = (typeof LADDER)[number]["name"];
