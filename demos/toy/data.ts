/** The toy task: is the weighted sum of 32 uniform features positive? */
import { Generator, noGrad, rand, TensorDataset } from "jarvis-snn/engine";

const SAMPLES = 4096;
export const FEATURES = 32;
const TRAIN_SHARE = 0.8;

/** Train and test set: label = (x · linspace(−1, 1, 32) > 0); features min-max normalised to [0, 1]. */
export function toyData(seed: number): { train: TensorDataset<Uint8Array>; test: TensorDataset<Uint8Array> } {
  const x = noGrad(() => rand([SAMPLES, FEATURES], { generator: new Generator(seed) }).toFloat32Array());
  const y = Uint8Array.from({ length: SAMPLES }, (_, i) => {
    let score = 0;
    for (let f = 0; f < FEATURES; f++) score += (x[i * FEATURES + f] as number) * (-1 + (2 * f) / (FEATURES - 1));
    return score > 0 ? 1 : 0;
  });
  let low = Infinity;
  let high = -Infinity;
  for (const value of x) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  for (let i = 0; i < x.length; i++) x[i] = ((x[i] as number) - low) / (high - low + 1e-6);
  const split = Math.floor(TRAIN_SHARE * SAMPLES);
  return {
    train: new TensorDataset(x.subarray(0, split * FEATURES), y.subarray(0, split)),
    test: new TensorDataset(x.subarray(split * FEATURES), y.subarray(split)),
  };
}
