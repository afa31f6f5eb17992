/** Training steps of the deep networks of the bench: T 4, with images as a constant current. */
import { constantEncode, crossEntropy, type Module, manualSeed, rand, type Tensor } from "jarvis-snn";
import { CLASSES, Csnn, NorseCifar, SewResNet18 } from "./deep.ts";
import { Spikformer } from "./spikformer.ts";
import { labels, mnistBatch } from "./training.ts";

/** A network, the learning rate of Adam, and its images: random ones, or digits. */
export interface Deep {
  readonly model: Module;
  readonly lr: number;
  readonly images: Tensor;
  readonly areDrawn: boolean;
  loss(): Tensor;
}

const T = 4;

const encoded = (images: Tensor): Tensor => constantEncode(images, { timesteps: T });

/** A network on random images of 32 × 32 with labels in turn, from a seed on. */
function onColours(make: () => Module, batch: number, lr: number, loss: Loss = crossEntropy): Deep {
  manualSeed(0);
  const model = make();
  const images = rand([batch, 3, 32, 32]);
  const y = labels(batch, CLASSES);
  return { model, lr, images, areDrawn: true, loss: () => loss(model.forward(encoded(images)), y) };
}

type Loss = (outputs: Tensor, y: Int32Array) => Tensor;

/** Norse's loss. */
const smoothed: Loss = (outputs, y) => crossEntropy(outputs, y, { labelSmoothing: 0.2, reduction: "sum" });

function csnn(): Deep {
  manualSeed(0);
  const batch = 32;
  const model = new Csnn(128);
  const { x, y } = mnistBatch(batch);
  const images = x.reshape([batch, 1, 28, 28]);
  return { model, lr: 1e-3, images, areDrawn: false, loss: () => crossEntropy(model.forward(encoded(images)), y) };
}

export const DEEP = {
  sew: () => onColours(() => new SewResNet18(), 8, 1e-3),
  cifar: () => onColours(() => new NorseCifar(), 8, 2e-3, smoothed),
  csnn,
  spikformer: () => onColours(() => new Spikformer(128, 4, 2), 16, 5e-4),
} as const satisfies Readonly<Record<string, () => Deep>>;

export type DeepName = keyof typeof DEEP;
