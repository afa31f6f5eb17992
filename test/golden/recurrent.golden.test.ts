/** RLeaky and RSynaptic of snnTorch: spikes that come back through a matrix, a weight of each neuron, or a convolution. */
import {
  Conv2d,
  LIF,
  type LIFOptions,
  type Linear,
  Module,
  ones,
  parameter,
  Recurrent,
  RecurrentLIF,
  Synaptic,
  type Tensor,
  zeros,
} from "jarvis-snn";
import { toTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { compareNeurons } from "./neurons.ts";
import {
  AT_ONCE,
  atOnce,
  type Counterpart,
  isAtOnce,
  optionsOf,
  runOf,
  type SnnTorchEntry,
  without,
} from "./snntorch.ts";

const KEYWORDS = ["linear_features", "all_to_all", "V", "conv2d_channels", "kernel_size", "learn_recurrent"];
const CLASSES = ["RLeaky", "RSynaptic"];

/** RLeaky's reset to zero drops the input of its step. */
const inputOf = ({ reset, resetDelay }: LIFOptions): LIFOptions =>
  reset === "zero" && resetDelay !== false ? { resetInput: true } : {};

function recurrent(entry: SnnTorchEntry): Counterpart {
  const { name, class: kind, kwargs, input } = entry;
  if (!CLASSES.includes(kind)) throw new Error(`${name}: expected RLeaky or RSynaptic, got ${kind}`);
  const isSynaptic = kind === "RSynaptic";
  const options = optionsOf(entry, ["beta", "threshold", ...(isSynaptic ? ["alpha"] : [])], KEYWORDS);
  const given = { ...entry.buffers, ...entry.params };
  const isAll = kwargs.all_to_all !== false;
  const features = input.shape[input.shape.length - 1] as number;
  const { conv2d_channels: channels, kernel_size: size } = kwargs as Record<string, number>;
  let connection: "all" | "one" | Module = isAll ? "all" : "one";
  if (channels !== undefined && size !== undefined) {
    connection = new OfEachStep(new Conv2d(channels, channels, size, { padding: Math.floor(size / 2) }));
  }
  if (given.V?.data.length === 1) connection = new Scaled(given.V.shape);
  const isModule = typeof connection !== "string";
  const isComposed = isAtOnce(entry);
  const plain = () => (isSynaptic ? new Synaptic(options) : new LIF({ ...options, ...inputOf(options) }));
  const neuron = isComposed ? atOnce(entry, options) : plain();
  const layer =
    isSynaptic || isModule || isComposed
      ? new Recurrent(neuron as LIF, isModule ? { connection } : { features, connection })
      : new RecurrentLIF({ ...options, features, connection: connection as "all" | "one" });
  const { beta, threshold } = layer instanceof RecurrentLIF ? layer : neuron;
  const weights = weightsOf(layer);
  const shared: Record<string, Tensor> = {};
  for (const [key, golden] of Object.entries(given)) {
    const to = weights[key];
    if (to === undefined) continue;
    to.copyFrom(toTensor(golden));
    to.requiresGrad = kwargs.learn_recurrent !== false;
    shared[key] = to;
  }
  const alpha = isSynaptic ? { alpha: (neuron as InstanceType<typeof Synaptic>).alpha } : {};
  return {
    layer: layer as never,
    states: { syn: "i", mem: "v" },
    parameters: { beta, threshold, ...alpha, ...shared },
  };
}

/** One weight for all neurons. */
class Scaled extends Module {
  readonly V: Tensor;
  constructor(shape: readonly number[]) {
    super();
    this.V = parameter(ones(shape));
  }
  forward(x: Tensor): Tensor {
    return x.mul(this.V);
  }
}

/** A convolution of the spikes of a step, [1, B, C, H, W]. */
class OfEachStep extends Module {
  readonly conv: Conv2d;
  constructor(conv: Conv2d) {
    super();
    this.conv = conv;
  }
  forward(x: Tensor): Tensor {
    return this.conv.forward(x.squeeze(0)).unsqueeze(0);
  }
}

function weightsOf({
  recurrent: module,
  V,
}: Pick<RecurrentLIF, "V"> & { readonly recurrent: Module | null }): Record<string, Tensor> {
  if (V !== null) return { V };
  if (module instanceof Scaled) return { V: module.V };
  const { weight, bias } = module instanceof OfEachStep ? module.conv : (module as Linear);
  return { "recurrent.weight": weight, "recurrent.bias": bias ?? zeros([1]) };
}

goldenSuite<{ entries: SnnTorchEntry[] }, SnnTorchEntry>({
  file: "snntorch/recurrent",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  otherBugs: {
    "RLeaky, reset_delay false": AT_ONCE,
    "RSynaptic, reset_delay false":
      "the reset at once goes to a variable that nothing reads: it is late as by default. The test does the same",
  },
  run(entry) {
    const effective = entry.class === "RSynaptic" ? without(entry, "reset_delay") : entry;
    compareNeurons(entry, (input) => runOf(effective, input, recurrent(effective)));
  },
});
