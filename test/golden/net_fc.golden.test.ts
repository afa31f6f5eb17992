/** Small snnTorch networks, Linear and Leaky in turns: trace, loss, gradients, and five steps of three optimizers. */
import { Adam, AdamW, LIF, type LIFRecord, Linear, Module, type Optimizer, SGD, type Tensor, tape } from "jarvis-snn";
import { expectClose, expectGradients, expectSpikes, present, type Tolerance } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lossOf, type Output } from "./net-losses.ts";
import { surrogateOf } from "./snntorch.ts";

interface Step {
  readonly loss_before: number;
  readonly spikes_total: number;
  readonly params_after: GoldenTensors;
  /** Before the step; those of the first step are the file's. */
  readonly grads?: GoldenTensors;
}

interface Content {
  readonly [beta: `beta${number}`]: number;
  readonly threshold: number;
  readonly surrogate: string;
  readonly reset: "subtract" | "zero" | "none";
  readonly loss_fn: string;
  readonly input: GoldenTensor;
  readonly targets: GoldenTensor;
  /** fc1.weight, fc1.bias, fc2.weight, … */
  readonly params: GoldenTensors;
  /** cur1, spk1, mem1, cur2, … */
  readonly trace: GoldenTensors;
  readonly loss: GoldenTensor;
  readonly grads: GoldenTensors;
  readonly grad_input: GoldenTensor;
  /** Of the loss as a function of one tensor of the trace alone; null where it does not depend on it directly. */
  readonly grad_trace: Readonly<Record<string, GoldenTensor | null>>;
  readonly optimisers: Readonly<Record<string, { readonly steps: readonly Step[]; readonly final_loss: number }>>;
}

type Trace = Record<string, Tensor>;

class Network extends Module {
  readonly linears: Linear[] = [];
  readonly neurons: LIF[] = [];

  constructor(content: Content) {
    super();
    const { params, threshold, reset, surrogate } = content;
    for (let layer = 1; `fc${layer}.weight` in params; layer++) {
      const weight = params[`fc${layer}.weight`] as GoldenTensor;
      const bias = params[`fc${layer}.bias`];
      const [outputs, inputs] = weight.shape as [number, number];
      const linear = new Linear(inputs, outputs, { bias: bias !== undefined });
      linear.weight.copyFrom(numbersOf(weight));
      if (bias !== undefined) linear.bias?.copyFrom(numbersOf(bias));
      this.linears.push(linear);
      const beta = content[`beta${layer}`] as number;
      this.neurons.push(
        new LIF({ beta, threshold, reset, resetDelay: true, fire: "gt", surrogate: surrogateOf(surrogate) }),
      );
    }
  }

  get layers(): number {
    return this.linears.length;
  }

  forward(x: Tensor): Tensor {
    return this.trace(x)[`spk${this.layers}`] as Tensor;
  }

  /** Every current, spike and membrane of every layer, by the names of the golden. */
  trace(x: Tensor): Trace {
    const trace: Trace = {};
    let spikes = x;
    this.linears.forEach((linear, i) => {
      const current = linear.forward(spikes);
      const record: LIFRecord = (this.neurons[i] as LIF).unroll(current);
      spikes = record.spikes;
      trace[`cur${i + 1}`] = current;
      trace[`spk${i + 1}`] = spikes;
      trace[`mem${i + 1}`] = record.membrane;
    });
    return trace;
  }

  outputOf(trace: Trace): Output {
    return { spk: trace[`spk${this.layers}`] as Tensor, mem: trace[`mem${this.layers}`] as Tensor };
  }

  /** The parameters by the golden's names. */
  tensors(): Record<string, Tensor> {
    const named = this.linears.flatMap(({ weight, bias }, i) => [
      [`fc${i + 1}.weight`, weight] as const,
      ...(bias === null ? [] : [[`fc${i + 1}.bias`, bias] as const]),
    ]);
    return Object.fromEntries(named);
  }

  override dispose(): void {
    for (const p of this.parameters()) p.dispose();
  }
}

/** The optimizer of a name such as "adamw_lr0.01_wd0.05". */
function optimizerOf(name: string, params: Tensor[]): Optimizer {
  const [kind, ...settings] = name.split("_");
  const options: Record<string, number> = {};
  for (const setting of settings) {
    const [, key = "", value] = /^([a-z]+)([\d.e-]+)$/.exec(setting) ?? [];
    const option = { lr: "lr", momentum: "momentum", wd: "weightDecay" }[key];
    if (option === undefined) throw new Error(`no option for ${setting} in ${name}`);
    options[option] = Number(value);
  }
  if (kind === "adam") return new Adam(params, options);
  if (kind === "adamw") return new AdamW(params, options);
  if (kind === "sgd") return new SGD(params, options);
  throw new Error(`no optimizer for ${name}`);
}

/** Sums of eight products, then ten steps of the recursion. */
const FORWARD: Tolerance = { absolute: 2e-6, relative: 2e-6 };
/** Spikes agree exactly; rounding of u is amplified by the slope of the surrogate and summed over time and batch. */
const GRADIENT: Tolerance = { absolute: 2e-5, relative: 1e-4 };
/** Adam divides small gradients by their own size: a step of 1e-2 in the weights may be off by 2e-3 of itself. */
const WEIGHTS: Tolerance = { absolute: 2e-5, relative: 1e-5 };
const LOSS: Tolerance = { absolute: 0, relative: 5e-6 };

function traceTest(content: Content): void {
  const network = new Network(content);
  const trace = network.trace(toTensor(content.input));
  for (const [name, expected] of Object.entries(content.trace)) {
    if (name.startsWith("spk")) expectSpikes(`trace: ${name}`, present(trace, name), expected);
    else expectClose(`trace: ${name}`, present(trace, name), expected, FORWARD, "states");
  }
  network.dispose();
}

function gradientTest(content: Content): void {
  const network = new Network(content);
  const x = toTensor(content.input, true);
  const loss = lossOf(content.loss_fn)(network.outputOf(network.trace(x)), numbersOf(content.targets));
  expectClose("loss", loss.reshape(content.loss.shape), content.loss, LOSS);
  loss.backward();
  expectGradients("network", network.tensors(), content.grads, GRADIENT);
  expectGradients("network", { input: x }, { input: content.grad_input }, GRADIENT);
  network.dispose();
}

function traceGradientTest(content: Content): void {
  const network = new Network(content);
  const leaves: Trace = {};
  for (const [name, golden] of Object.entries(content.trace)) leaves[name] = toTensor(golden, true);
  lossOf(content.loss_fn)(network.outputOf(leaves), numbersOf(content.targets)).backward();
  expectGradients("output", leaves, content.grad_trace, GRADIENT);
  network.dispose();
}

function optimizerTest(content: Content, name: string): void {
  const network = new Network(content);
  const optimizer = optimizerOf(name, network.parameters());
  const lossFunction = lossOf(content.loss_fn);
  const targets = numbersOf(content.targets);
  const { steps, final_loss } = content.optimisers[name] as Content["optimisers"][string];
  const lossBackward = (): { loss: number; spikes: number } =>
    tape(() => {
      const trace = network.trace(toTensor(content.input));
      const loss = lossFunction(network.outputOf(trace), targets);
      optimizer.zeroGrad();
      loss.backward();
      const spikes = Object.keys(trace).filter((key) => key.startsWith("spk"));
      return {
        loss: loss.item(),
        spikes: spikes.reduce((total, key) => total + (trace[key] as Tensor).sum().item(), 0),
      };
    });
  steps.forEach((step, i) => {
    const where = `${name}, step ${i + 1}`;
    const { loss, spikes } = lossBackward();
    expectClose(`${where}: loss`, loss, step.loss_before, LOSS);
    expectSpikes(`${where}: spikes`, spikes, step.spikes_total);
    expectGradients(where, network.tensors(), step.grads ?? (i === 0 ? content.grads : {}), GRADIENT);
    optimizer.step();
    for (const [name, expected] of Object.entries(step.params_after)) {
      expectClose(`${where}: ${name} after`, present(network.tensors(), name), expected, WEIGHTS);
    }
  });
  expectClose(`${name}: final loss`, lossBackward().loss, final_loss, LOSS);
  optimizer.dispose();
  network.dispose();
}

interface Part extends NamedEntry {
  readonly check: (content: Content) => void;
}

for (const file of ["net_fc_1", "net_fc_2", "net_fc_3", "net_fc_4"]) {
  goldenSuite<Content, Part>({
    file: `snntorch/${file}`,
    entries: ({ optimisers }) => [
      { name: "trace", check: traceTest },
      { name: "loss and gradients", check: gradientTest },
      { name: "gradients of the output", check: traceGradientTest },
      ...Object.keys(optimisers).map((name) => ({ name, check: (content: Content) => optimizerTest(content, name) })),
    ],
    reads: [
      "beta1",
      "beta2",
      "threshold",
      "surrogate",
      "reset",
      "loss_fn",
      "input",
      "targets",
      "params",
      "trace",
      "loss",
      "grads",
      "grad_input",
      "grad_trace",
      "optimisers",
    ],
    leftOut: {
      seed: "of the generator",
      net: "a description in words; the shapes of the parameters say the same",
      min_threshold_margin:
        "the least distance of a membrane from its threshold, which says how far spikes are from flipping",
    },
    run: (part, content) => part.check(content),
  });
}
