/** A Spikformer for images of 32 × 32: convolutions make 64 tokens of them, blocks of spiking attention follow. */
import { BatchNorm1d, LIF, Linear, MaxPool2d, Module, Sequential, type Tensor } from "jarvis-snn";
import { CLASSES, spiking } from "./deep.ts";

/** Factor of the attention, which has no softmax. */
const SCALE = 0.125;

/** SpikingJelly's LIFNode with tau 2 and a reset that passes no gradient on. */
const neurons = (threshold = 1): LIF => new LIF({ numerics: "spikingjelly", detachReset: true, threshold });

/** A linear layer without bias for each token, normalisation, neurons: x [T, B, N, in] → spikes [T, B, N, out]. */
const projected = (inputs: number, outputs: number): Sequential =>
  new Sequential(new Linear(inputs, outputs, { bias: false }), new BatchNorm1d(outputs, { axis: -1 }), neurons());

/** Tokens [T, B, N, D] → [T, B, N, D], each after attention in all heads, q·(kᵀ·v), and two layers; both add to their input. */
class Block extends Module {
  readonly heads: number;
  /** Queries, keys and values in one product. */
  readonly qkv: Sequential;
  readonly attention = neurons(0.5);
  readonly projection: Sequential;
  readonly mlp: Sequential;

  constructor(size: number, heads: number) {
    super();
    this.heads = heads;
    this.qkv = projected(size, 3 * size);
    this.projection = projected(size, size);
    this.mlp = new Sequential(projected(size, 4 * size), projected(4 * size, size));
  }

  forward(x: Tensor): Tensor {
    const y = x.add(this.projection.forward(this.attend(this.qkv.forward(x))));
    return y.add(this.mlp.forward(y));
  }

  private attend(qkv: Tensor): Tensor {
    const [T, B, N, width] = qkv.shape as readonly [number, number, number, number];
    const each = qkv.reshape([T, B, N, 3, this.heads, width / 3 / this.heads]).permute([3, 0, 1, 4, 2, 5]);
    const [q, k, v] = each.unbind(0) as [Tensor, Tensor, Tensor];
    const attended = this.attention.forward(q.matmul(k.transpose(-2, -1).matmul(v)).mul(SCALE));
    return attended.permute([0, 1, 3, 2, 4]).reshape([T, B, N, width / 3]);
  }
}

/**
 * Spikformer: x [T, B, 3, 32, 32] → outputs [B, 10] for the mean over time and tokens.
 *
 * @see Zhou et al. (2023), Spikformer: When Spiking Neural Network Meets Transformer, ICLR; the network for CIFAR, without biases.
 */
export class Spikformer extends Module {
  readonly stem: Sequential;
  /** Its spikes tell a token where it lies. */
  readonly position: Sequential;
  readonly blocks: Sequential;
  readonly head: Linear;

  constructor(size: number, heads: number, depth: number) {
    super();
    const halved = () => new MaxPool2d(3, { stride: 2, padding: 1 });
    this.stem = new Sequential(
      ...[spiking(3, size / 8, 3, 1, neurons()), spiking(size / 8, size / 4, 3, 1, neurons())],
      ...[spiking(size / 4, size / 2, 3, 1, neurons()), halved()],
      ...[spiking(size / 2, size, 3, 1, neurons()), halved()],
    );
    this.position = spiking(size, size, 3, 1, neurons());
    this.blocks = new Sequential(...Array.from({ length: depth }, () => new Block(size, heads)));
    this.head = new Linear(size, CLASSES);
  }

  forward(x: Tensor): Tensor {
    const maps = this.stem.forward(x);
    const tokens = maps.add(this.position.forward(maps)).flatten(3).transpose(-2, -1);
    return this.head.forward(this.blocks.forward(tokens).mean({ axis: [0, 2] }));
  }
}
