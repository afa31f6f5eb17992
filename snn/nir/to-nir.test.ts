import {
  AvgPool2d,
  Conv2d,
  Delay,
  Dropout,
  Flatten,
  Generator,
  IF,
  LeakyIntegrator,
  LIF,
  Linear,
  type Module,
  noGrad,
  Recurrent,
  RecurrentLIF,
  rand,
  Sequential,
  Synaptic,
  SynapticIntegrator,
  type Tensor,
  tensor,
} from "jarvis-snn";
import { fromNIR, toNIR } from "jarvis-snn/nir";
import { describe, expect, test } from "vitest";

const dt = 1e-3;

const values = (t: Tensor): number[] => Array.from(t.toFloat32Array());

/** A layer, the shape behind it, and whether NIR can say all of it. */
interface Drawn {
  readonly layer: Module;
  readonly shape: readonly number[];
}

/** Random layers that NIR has all words for, one behind the other. */
class Draw {
  private readonly generator: Generator;

  constructor(seed: number) {
    this.generator = new Generator(seed);
  }

  number(low: number, high: number): number {
    return low + (high - low) * rand([], { generator: this.generator }).item();
  }

  int(low: number, high: number): number {
    return Math.floor(this.number(low, high + 0.999));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)] as T;
  }

  /** A number, or one for each of n neurons. */
  perNeuron(n: number, low: number, high: number): number | Tensor {
    if (this.int(0, 1) === 0) return this.number(low, high);
    return tensor(Array.from({ length: n }, () => this.number(low, high)));
  }

  neuron(n: number): Module {
    const threshold = this.perNeuron(n, 0.2, 0.8);
    const leaks = this.int(0, 1) === 1;
    const beta = this.perNeuron(n, 0.05, 0.99);
    const fire = "gt" as const;
    return this.pick([
      () =>
        new LIF({ beta, threshold, fire, ...(leaks && { inputScale: "leak" }), resetValue: this.number(-0.1, 0.1) }),
      () => new LIF({ beta, threshold, fire, rest: this.perNeuron(n, -0.1, 0.1), inputScale: this.number(0.1, 1) }),
      () => new LIF({ beta: 1, threshold, fire }),
      () => new IF({ threshold, fire, resetValue: this.number(-0.1, 0.1) }),
      () =>
        new Synaptic({ alpha: this.perNeuron(n, 0.1, 0.9), beta, threshold, fire, inputScale: leaks ? "leak" : "one" }),
    ])();
  }

  layer(shape: readonly number[]): Drawn {
    const n = shape[shape.length - 1] as number;
    const { generator } = this;
    const isMap = shape.length === 3 && n >= 4 && (shape[1] as number) >= 4;
    const bias = this.int(0, 1) === 1;
    const same = (layer: Module): Drawn => ({ layer, shape });
    const options: (() => Drawn)[] = [
      () => same(this.neuron(n)),
      () => same(this.neuron(n)),
      () => same(new Delay(this.int(0, 3))),
      () => same(new Delay(Array.from({ length: n }, () => this.int(0, 3)))),
      () => same(new LeakyIntegrator({ beta: this.number(0.1, 0.9), inputScale: this.number(0.5, 1) })),
      () => same(new SynapticIntegrator({ alpha: this.number(0.1, 0.9), beta: this.number(0.1, 0.9) })),
      () => same(new Dropout(0.5).eval()),
    ];
    if (shape.length === 1) {
      const out = this.int(1, 6);
      options.push(
        () => ({ layer: new Linear(n, out, { bias, generator }), shape: [out] }),
        () => ({ layer: new Linear(n, out, { bias, generator }), shape: [out] }),
        () =>
          same(
            new Recurrent(this.neuron(n) as LIF, {
              features: n,
              connection: this.pick(["all", "one"]),
              bias,
              generator,
            }),
          ),
        () => same(new RecurrentLIF({ features: n, fire: "gt", threshold: 0.4, beta: this.number(0, 1), generator })),
      );
    }
    if (isMap) {
      const channels = shape[0] as number;
      const [height, width] = shape.slice(1) as [number, number];
      const stride = this.int(1, 2);
      const behind = (size: number, kernel: number, padding: number) =>
        Math.floor((size + 2 * padding - kernel) / stride) + 1;
      options.push(
        () => ({
          layer: new Conv2d(channels, 2 * channels, 3, { bias, stride, padding: 1, groups: channels, generator }),
          shape: [2 * channels, behind(height, 3, 1), behind(width, 3, 1)],
        }),
        () => ({
          layer: new AvgPool2d([2, 3], { stride, padding: 1 }),
          shape: [channels, behind(height, 2, 1), behind(width, 3, 1)],
        }),
        () => ({ layer: new Flatten(2), shape: [channels * height * width] }),
        () => ({ layer: new Flatten(-2), shape: [channels, height * width] }),
      );
    }
    return this.pick(options)();
  }
}

describe("toNIR", () => {
  for (let seed = 0; seed < 60; seed++) {
    test(`a stack that nothing is lost of comes back with the same bits, seed ${seed}`, () =>
      noGrad(() => {
        const draw = new Draw(seed);
        const start = draw.pick([[5], [2, 6, 5]]);
        const layers: Module[] = [];
        let shape: readonly number[] = start;
        for (let i = draw.int(1, 6); i > 0; i--) {
          const drawn = draw.layer(shape);
          layers.push(drawn.layer);
          shape = drawn.shape;
        }
        const model = new Sequential(...layers);
        const { graph, losses } = toNIR(model, { dt, inputShape: start, strict: true });
        expect(losses).toEqual([]);
        const back = fromNIR(graph, { dt });
        const x = rand([7, 2, ...start], { generator: new Generator(seed) }).mul(3);
        expect(values(back.forward(x))).toEqual(values(model.forward(x)));
        const again = toNIR(back, { dt, inputShape: start });
        expect(again).toEqual({ graph, losses: [] });
      }));
  }
});
