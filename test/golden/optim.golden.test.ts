/** Ten steps of every optimizer configuration with given gradients, against PyTorch. */
import {
  Adam,
  type AdamOptions,
  AdamW,
  add,
  mul,
  type Optimizer,
  parameter,
  SGD,
  type SGDOptions,
  sum,
  type Tensor,
  tape,
} from "jarvis-snn";
import { expectClose, type Tolerance } from "../support/close.ts";
import { type GoldenTensors, mapValues, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

type Hyper = Readonly<Record<string, unknown>>;

interface Entry extends NamedEntry {
  readonly class: string;
  readonly hyper: Hyper;
  readonly params_after_each_step: readonly GoldenTensors[];
}

interface Content {
  readonly params0: GoldenTensors;
  readonly grads: readonly GoldenTensors[];
  readonly entries: readonly Entry[];
}

/** PyTorch's names of the options. Those that are null choose an implementation and change no value. */
const NAMES: Readonly<Record<string, string | null>> = {
  lr: "lr",
  momentum: "momentum",
  dampening: "dampening",
  weight_decay: "weightDecay",
  nesterov: "nesterov",
  betas: "betas",
  eps: "eps",
  amsgrad: "amsgrad",
  maximize: null, // turned into the sign of the gradient below
  foreach: null,
  fused: null,
  capturable: null,
  differentiable: null,
};

function optionsOf(hyper: Hyper): AdamOptions & SGDOptions {
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(hyper)) {
    const name = NAMES[key];
    if (name === undefined) throw new Error(`optim: no option for ${key} = ${JSON.stringify(value)}`);
    if (name !== null) options[name] = value;
  }
  return options;
}

function optimizerOf(entry: Entry, params: Tensor[]): Optimizer {
  const options = optionsOf(entry.hyper);
  if (entry.class === "SGD") return new SGD(params, options);
  if (entry.class === "Adam") return new Adam(params, options);
  if (entry.class === "AdamW") return new AdamW(params, options);
  throw new Error(`optim: no case for the class ${entry.class}, and it is not left out`);
}

/** A few roundings of a weight of size 1 in each of ten steps. */
const WEIGHTS: Tolerance = { absolute: 3e-6, relative: 2e-6 };

const LATER = "optimizer comes with the full set";

goldenSuite<Content, Entry>({
  file: "torch/optim",
  entries: ({ entries }) => entries,
  reads: ["params0", "grads", "entries"],
  leftOut: {
    RMSprop: LATER,
    Adagrad: LATER,
    Adamax: "not part of the package",
    RAdam: "not part of the package",
    NAdam: "not part of the package",
    schedulers: "schedulers come with the full set",
    clip_grad_norm: "clipGradNorm comes with the full set",
  },
  kind: (entry) => entry.class,
  run(entry, { params0, grads }) {
    const params = mapValues(params0, (t) => parameter(toTensor(t)));
    const optimizer = optimizerOf(entry, Object.values(params));
    const sign = entry.hyper.maximize === true ? -1 : 1;
    entry.params_after_each_step.forEach((after, step) => {
      optimizer.zeroGrad();
      tape(() => {
        // The gradient of Σ p·g is g.
        const terms = Object.entries(params).map(([name, p]) => sum(mul(p, toTensor(grads[step]?.[name] as never))));
        mul(
          terms.reduce((a, b) => add(a, b)),
          sign,
        ).backward();
      });
      optimizer.step();
      for (const [name, expected] of Object.entries(after)) {
        expectClose(`${entry.name}, step ${step + 1}: ${name}`, params[name] as Tensor, expected, WEIGHTS);
      }
    });
    optimizer.dispose();
    for (const p of Object.values(params)) p.dispose();
  },
});
