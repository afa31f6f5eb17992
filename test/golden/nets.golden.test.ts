/** Small networks of snnTorch as a whole: a convolution, and a recurrent layer. */
import {
  add,
  Conv2d,
  crossEntropy,
  LIF,
  type LIFOptions,
  Linear,
  MaxPool2d,
  Module,
  maxMembrane,
  RecurrentLIF,
  spikeCount,
  surrogate,
  type Tensor,
} from "jarvis-snn";
import { expectClose, expectGradients, expectSpikes, present, withinLargest } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, mapValues, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lossOf } from "./net-losses.ts";
import { surrogateOf } from "./snntorch.ts";

interface Content {
  /** The network in words: layers in their order, with the options of the neurons in parentheses. */
  readonly schema?: string;
  readonly beta?: number;
  readonly T?: number;
  readonly input: GoldenTensor;
  readonly targets: GoldenTensor;
  readonly params: GoldenTensors;
  readonly trace: GoldenTensors;
  readonly loss: GoldenTensor;
  readonly grads: GoldenTensors;
}

type Trace = Readonly<Record<string, Tensor>>;

/** A network that gives all that the golden has traced. */
abstract class Traced extends Module {
  abstract trace(x: Tensor): Trace;
  abstract lossOf(trace: Trace, targets: readonly number[]): Tensor;
  forward(x: Tensor): Tensor {
    return this.trace(x).spk2 as Tensor;
  }
}

/** The options of a layer in the words of a schema, such as "RLeaky(beta .85, all-to-all 6, atan 2, subtract)". */
function worded(text: string): LIFOptions {
  const beta = /\bbeta\s*=?\s*(\d*\.?\d+)/.exec(text)?.[1];
  const threshold = /\bthreshold\s*=?\s*(\d*\.?\d+)/.exec(text)?.[1];
  const reset = /\b(no reset|none|subtract|zero)\b/.exec(text)?.[1];
  const [, kind, parameter = ""] =
    /\b(atan|fast_sigmoid|sigmoid)\b(?:\s*(?:slope|alpha)?\s*=?\s*(\d*\.?\d+))?/.exec(text) ?? [];
  return {
    ...(beta === undefined ? {} : { beta: Number(beta) }),
    ...(threshold === undefined ? {} : { threshold: Number(threshold) }),
    ...(reset === undefined ? {} : { reset: (reset === "no reset" ? "none" : reset) as "none" | "subtract" | "zero" }),
    ...(kind === undefined ? {} : { surrogate: surrogateOf(`${kind}${parameter}`) }),
  };
}

/** The parentheses behind a layer of this name. */
const layerIn = ({ schema = "" }: Content, name: string): string =>
  new RegExp(`(?<![A-Za-z])${name}\\(([^)]*)\\)`).exec(schema)?.[1] ?? "";

const sizes = (content: Content, name: string): [number, number] => {
  const [out = 1, inputs = 1] = content.params[name]?.shape ?? [];
  return [inputs, out];
};

class ConvNet extends Traced {
  readonly conv: Conv2d;
  readonly fc: Linear;
  private readonly pool = new MaxPool2d(2);
  private readonly lif1: LIF;
  private readonly lif2: LIF;
  private readonly T: number;

  constructor(content: Content) {
    super();
    const [out = 1, inputs = 1, size = 1] = content.params["conv.weight"]?.shape ?? [];
    this.conv = new Conv2d(inputs, out, size);
    this.fc = new Linear(...sizes(content, "fc.weight"));
    const usual: LIFOptions = { numerics: "snntorch", surrogate: surrogate.fastSigmoid({ slope: 5 }) };
    // The words are those of both layers, behind all layers and before the loss.
    const words = /;(.*?)(?:; *loss|$)/s.exec(content.schema ?? "")?.[1] ?? "";
    const options = { ...usual, ...worded(words), beta: content.beta as number };
    this.lif1 = new LIF(options);
    this.lif2 = new LIF(options);
    this.T = content.T as number;
  }

  trace(x: Tensor): Trace {
    const overTime = x.expand([this.T, ...x.shape]);
    const conv = this.conv.forward(overTime);
    const pool = this.pool.forward(conv);
    const first = this.lif1.unroll(pool);
    const second = this.lif2.unroll(this.fc.forward(first.spikes.flatten(2)));
    return { conv, pool, spk1: first.spikes, mem1: first.membrane, spk2: second.spikes, mem2: second.membrane };
  }

  lossOf({ spk2, mem2 }: Trace, targets: readonly number[]): Tensor {
    const output = { spk: spk2 as Tensor, mem: mem2 as Tensor };
    return add(lossOf("sum_t CE(mem2[t])")(output, targets), crossEntropy(spikeCount(output.spk), targets));
  }
}

class RecurrentNet extends Traced {
  readonly fc1: Linear;
  readonly rec: RecurrentLIF;
  readonly fc2: Linear;
  private readonly lif2: LIF;

  constructor(content: Content) {
    super();
    const [inputs, hidden] = sizes(content, "fc1.weight");
    this.fc1 = new Linear(inputs, hidden);
    // Where the file has no words, the values are those of the stored file.
    const [rec, lif2] = [layerIn(content, "RLeaky"), layerIn(content, "Leaky")].map(worded);
    this.rec = new RecurrentLIF({ numerics: "snntorch", features: hidden, beta: 0.85, ...rec });
    this.lif2 = new LIF({ numerics: "snntorch", beta: 0.9, reset: "none", ...lif2 });
    this.fc2 = new Linear(...sizes(content, "fc2.weight"));
  }

  trace(x: Tensor): Trace {
    const cur1 = this.fc1.forward(x);
    const first = this.rec.unroll(cur1);
    const second = this.lif2.unroll(this.fc2.forward(first.spikes));
    return { cur1, spk1: first.spikes, mem1: first.membrane, spk2: second.spikes, mem2: second.membrane };
  }

  lossOf({ mem2 }: Trace, targets: readonly number[]): Tensor {
    return crossEntropy(maxMembrane(mem2 as Tensor), targets);
  }
}

const NETS = { net_conv: ConvNet, net_recurrent: RecurrentNet };

function compare(content: Content, Net: new (content: Content) => Traced): void {
  const net = new Net(content);
  const ours = (name: string) => name.replace(/^rec\./, "rec.recurrent.");
  const params = Object.entries(content.params).map(([name, t]) => [ours(name), t] as const);
  net.loadStateDict(
    mapValues(Object.fromEntries(params), (t) => ({ shape: t.shape, data: Float32Array.from(numbersOf(t)) })),
  );
  const input = toTensor(content.input, true);
  const trace = net.trace(input);
  for (const [name, golden] of Object.entries(content.trace)) {
    if (name.startsWith("spk")) expectSpikes(name, present(trace, name), golden);
    else expectClose(name, present(trace, name), golden, withinLargest(golden, 1e-5), "states");
  }
  const loss = net.lossOf(trace, numbersOf(content.targets));
  expectClose("loss", loss, content.loss, { absolute: 0, relative: 2e-6 });
  loss.backward();
  const named = Object.fromEntries(net.namedParameters());
  const leaves = mapValues(content.grads, (_, name) => named[ours(name)] ?? (input as Tensor));
  expectGradients("network", leaves, content.grads, 2e-4);
}

for (const [name, Net] of Object.entries(NETS)) {
  goldenSuite<Content, NamedEntry>({
    file: `snntorch/${name}`,
    entries: () => [{ name: "trace, loss and gradients" }],
    reads: ["beta", "T", "input", "targets", "params", "trace", "loss", "grads"],
    leftOut: {
      min_threshold_margin:
        "the least distance of a membrane from its threshold, which says how far spikes are from flipping",
    },
    run: (_, content) => compare(content, Net as new (content: Content) => Traced),
  });
}
