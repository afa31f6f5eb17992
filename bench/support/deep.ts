/** Deep convolutional networks of the literature, whose layers take all time steps at once: [T, B, C, H, W]. */
import {
  adaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Flatten,
  IF,
  Linear,
  MaxPool2d,
  Module,
  max,
  meanOverTime,
  noGrad,
  Sequential,
  Synaptic,
  SynapticIntegrator,
  surrogate,
  type Tensor,
} from "jarvis-snn";

export const CLASSES = 10;

/** SpikingJelly's IFNode with the derivative of the arctangent. */
const neurons = (): IF => new IF({ numerics: "spikingjelly", surrogate: surrogate.atan() });

/** A convolution without bias, normalisation over time and batch, neurons. */
export const spiking = (
  inputs: number,
  outputs: number,
  kernel: number,
  stride = 1,
  fire: Module = neurons(),
): Sequential =>
  new Sequential(
    new Conv2d(inputs, outputs, kernel, { stride, padding: kernel >> 1, bias: false }),
    new BatchNorm2d(outputs),
    fire,
  );

/** Two convolutions, and the sum of their spikes and those of the input. */
class Block extends Module {
  readonly body: Sequential;
  /** Makes the input as large as the output. */
  readonly shortcut: Sequential | null;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.body = new Sequential(spiking(inputs, outputs, 3, stride), spiking(outputs, outputs, 3));
    this.shortcut = inputs === outputs && stride === 1 ? null : spiking(inputs, outputs, 1, stride);
  }

  forward(x: Tensor): Tensor {
    return this.body.forward(x).add(this.shortcut === null ? x : this.shortcut.forward(x));
  }
}

/**
 * SEW-ResNet-18 with ADD: x [T, B, 3, H, W] → mean of the outputs over time, [B, 10].
 *
 * @see Fang et al. (2021), Deep Residual Learning in Spiking Neural Networks, NeurIPS.
 */
export class SewResNet18 extends Module {
  readonly stem: Sequential;
  readonly blocks: Block[];
  readonly head: Linear;

  constructor() {
    super();
    this.stem = new Sequential(spiking(3, 64, 7, 2), new MaxPool2d(3, { stride: 2, padding: 1 }));
    this.blocks = [64, 128, 256, 512].flatMap((width, i) => [
      new Block(i === 0 ? 64 : width / 2, width, i === 0 ? 1 : 2),
      new Block(width, width, 1),
    ]);
    this.head = new Linear(512, CLASSES);
  }

  forward(x: Tensor): Tensor {
    const last = this.blocks.reduce((z, block) => block.forward(z), this.stem.forward(x));
    const [T, B] = last.shape as readonly [number, number];
    return meanOverTime(this.head.forward(adaptiveAvgPool2d(last, 1).reshape([T, B, 512])));
  }
}

/** SpikingJelly's CSNN for images of 28 × 28: x [T, B, 1, 28, 28] → firing rates [B, 10]. */
export class Csnn extends Module {
  readonly layers: Sequential;

  constructor(channels: number) {
    super();
    const hidden = channels * 4 * 4;
    this.layers = new Sequential(
      ...[spiking(1, channels, 3), new MaxPool2d(2)],
      ...[spiking(channels, channels, 3), new MaxPool2d(2)],
      ...[new Flatten(2), new Linear(channels * 7 * 7, hidden, { bias: false }), neurons()],
      ...[new Linear(hidden, CLASSES, { bias: false }), neurons()],
    );
  }

  forward(x: Tensor): Tensor {
    return meanOverTime(this.layers.forward(x));
  }
}

/** Factor of the weights that Norse's network starts from: with 1, only its first layer fires within four steps. */
const LOUDER = 7;

/**
 * Norse's network for CIFAR-10: x [T, B, 3, 32, 32] → largest membranes over time, [B, 10]; without the noise of its readout.
 *
 * @see norse.task.cifar10, Pehle and Pedersen (2021).
 */
export class NorseCifar extends Module {
  readonly features: Sequential;
  readonly head: Linear;
  readonly out = new SynapticIntegrator({ numerics: "norse" });

  constructor() {
    super();
    const layers = [3, 64, 128, 256].map((inputs, i) => [
      new Conv2d(inputs, [64, 128, 256, 256][i] as number, 3, { padding: 1, bias: false }),
      new Synaptic({ numerics: "norse", threshold: 0.4 }),
      ...(i === 0 ? [] : [new MaxPool2d(2)]),
    ]);
    this.features = new Sequential(...layers.flat(), new Flatten(2));
    this.head = new Linear(4096, CLASSES, { bias: false });
    noGrad(() => {
      for (const weight of this.features.parameters()) weight.copyFrom(weight.mul(LOUDER));
    });
  }

  forward(x: Tensor): Tensor {
    return max(this.out.forward(this.head.forward(this.features.forward(x))), { axis: 0 }).values;
  }
}
