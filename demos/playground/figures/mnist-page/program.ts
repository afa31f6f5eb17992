// train.ts
import {
  Adam,
  accuracy,
  argmax,
  constantEncode,
  crossEntropy,
  DataLoader,
  evaluate,
  fit,
  LeakyIntegrator,
  LIF,
  Linear,
  manualSeed,
  meanOverTime,
  noGrad,
  Sequential,
  type Tensor,
  TensorDataset,
} from "jarvis-snn";

/** The file: side, training and test images as 32-bit integers; all images, a byte a pixel; all labels. */
function digitsOf(file: ArrayBuffer) {
  const [side = 0, train = 0, test = 0] = new Uint32Array(file, 0, 3);
  const size = side * side;
  const pixels = new Uint8Array(file, 12, (train + test) * size);
  const labels = new Uint8Array(file, 12 + pixels.length);
  const part = (from: number, to: number) => {
    const options = { shape: [size], scale: 1 / 255 };
    return new TensorDataset(pixels.subarray(from * size, to * size), labels.subarray(from, to), options);
  };
  return { size, train: part(0, train), test: part(train, train + test) };
}

type Page = { tell: (kind: string, news: object) => void; awake: () => Promise<void>; signal: AbortSignal };

export async function train(file: ArrayBuffer, { tell, awake, signal }: Page) {
  manualSeed(0);
  const { size, train, test } = digitsOf(file);
  const net = new Sequential(new Linear(size, 100), new LIF(), new Linear(100, 10), new LeakyIntegrator());
  const encode = (x: Tensor) => constantEncode(x, { timesteps: 10 }); // pixels as currents, [B, 196] → [10, B, 196]
  const ten = encode(test.batch([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).x);
  await fit(net, new DataLoader(train, { batchSize: 50, shuffle: true }), {
    epochs: 10,
    optimizer: new Adam(net.parameters(), { lr: 2e-3 }),
    encode,
    loss: (membrane, y) => crossEntropy(meanOverTime(membrane), y),
    validate: async () => {
      await awake(); // a page out of sight lets the training wait here
      return evaluate(net, test, (membrane, y) => accuracy(meanOverTime(membrane), y), { encode });
    },
    onBatch: (report) => tell("batch", report),
    progress: (report) => tell("progress", report),
    onEpoch: (report) => {
      const answers = noGrad(() => argmax(meanOverTime(net.forward(ten)), { axis: -1 }).toFloat32Array());
      tell("epoch", { ...report, answers });
    },
    signal,
  });
}
