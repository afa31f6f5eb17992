/**
 * Golden files: what PyTorch and the SNN frameworks computed, stored as JSON.
 *
 * A file lies in test/fixtures/<peer>/<file>.json. Where the folder named by $GOLDENS holds the same relative file, that one
 * is read instead. Tensors are { shape, data }, row-major, with "NaN", "Infinity" and "-Infinity" as strings.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Tensor, tensor } from "jarvis-snn";
import { arithmetic } from "jarvis-snn/kernels";

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: readonly (number | string | boolean)[];
  readonly dtype?: string;
}

export type GoldenTensors = Readonly<Record<string, GoldenTensor>>;

export interface GoldenFile<Content> {
  readonly content: Content;
  /** Read from $GOLDENS: the entries may differ from those that the tests know by name. */
  readonly replaced: boolean;
}

const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));

/**
 * Reads <peer>/<file>, such as "torch/optim".
 *
 * @throws Error where the kernels are not portable: tolerances are for these.
 */
export function readGolden<Content>(file: string, folder = process.env.GOLDENS): GoldenFile<Content> {
  if (arithmetic !== "portable") throw new Error(`golden: expected portable kernels, got ${arithmetic} ones`);
  const other = folder ? join(folder, `${file}.json`) : "";
  const replaced = other !== "" && existsSync(other);
  const path = replaced ? other : join(fixtures, `${file}.json`);
  return { content: JSON.parse(readFileSync(path, "utf8")) as Content, replaced };
}

/** The values; nine digits in the file become the float32 that they stand for. */
export function numbersOf({ data, dtype = "float32" }: GoldenTensor): number[] {
  return data.map((value) => (dtype === "float32" ? Math.fround(Number(value)) : Number(value)));
}

/** The values as a tensor of the current tape. */
export function toTensor(golden: GoldenTensor, requiresGrad = false): Tensor {
  return tensor(Float32Array.from(numbersOf(golden)), { shape: golden.shape, requiresGrad });
}

/** The object with f applied to every value. */
export function mapValues<A, B>(
  object: Readonly<Record<string, A>>,
  f: (value: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, f(value, name)]));
}
