/** A network of SpikingJelly, Linear and LIF twice: spikes, membranes, loss and gradients. */
import { LIF, Linear, meanOverTime, mseLoss, surrogate, type Tensor, tensor } from "jarvis-snn";
import { expectClose, expectGradients, expectSpikes, present, type Tensors, withinLargest } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

interface Content {
  /** 0.weight, 0.bias, 2.weight, 2.bias. */
  readonly params: GoldenTensors;
  readonly input: GoldenTensor;
  readonly targets: GoldenTensor;
  /** spk1, v1, spk2, v2. */
  readonly outputs: GoldenTensors;
  readonly loss: GoldenTensor;
  readonly grads: GoldenTensors;
}

/** τ = 2, decay_input false, the soft reset, detached; ATan. */
const lif = (): LIF =>
  new LIF({
    numerics: "spikingjelly",
    ...{ tau: 2, inputScale: 1, reset: "subtract", detachReset: true },
    surrogate: surrogate.atan({ alpha: 2 }),
  });

goldenSuite<Content, NamedEntry>({
  file: "spikingjelly/net_fc",
  entries: () => [{ name: "net_fc" }],
  reads: ["params", "input", "targets", "outputs", "loss", "grads"],
  leftOut: {},
  run(_, { params, input, targets, outputs: expected, loss: expectedLoss, grads }) {
    const x = toTensor(input, true);
    const leaves: Record<string, Tensor> = { input: x };
    const outputs: Record<string, Tensor> = {};
    let signal = x;
    for (const [layer, name] of ["0", "2"].entries()) {
      const weight = params[`${name}.weight`] as GoldenTensor;
      const linear = new Linear(weight.shape[1] as number, weight.shape[0] as number);
      linear.loadStateDict({ weight: toTensor(weight), bias: toTensor(params[`${name}.bias`] as GoldenTensor) });
      for (const [key, t] of linear.namedParameters()) leaves[`${name}.${key}`] = t;
      const { spikes, v } = lif().unroll(linear.forward(signal));
      Object.assign(outputs, { [`spk${layer + 1}`]: spikes, [`v${layer + 1}`]: v });
      signal = spikes;
    }
    for (const [name, values] of Object.entries(expected)) {
      const got = present(outputs as Tensors, name);
      if (name.startsWith("spk")) expectSpikes(name, got, values);
      else expectClose(name, got, values, withinLargest(values, 1e-5), "states");
    }
    const classes = signal.shape[2] as number;
    const oneHot = numbersOf(targets).map((label) => Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0)));
    const loss = mseLoss(meanOverTime(signal), tensor(oneHot));
    expectClose("loss", loss, expectedLoss, { absolute: 0, relative: 1e-5 });
    loss.backward();
    expectGradients("net_fc", leaves, grads, 2e-4);
  },
});
