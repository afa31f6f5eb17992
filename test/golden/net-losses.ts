/** The losses of the network goldens, by the text that names them there. */
import { crossEntropy, max, meanOverTime, mseLoss, mul, spikeCount, type Tensor, tensor } from "jarvis-snn";

/** The output layer over time, [T, B, K]. */
export interface Output {
  readonly spk: Tensor;
  readonly mem: Tensor;
}

type Loss = (output: Output, targets: readonly number[]) => Tensor;

/** Mean over the samples of the cross-entropy, summed over time. */
function crossEntropySum(logits: Tensor, targets: readonly number[]): Tensor {
  const labels = Array.from({ length: logits.shape[0] as number }, () => targets).flat();
  return mul(crossEntropy(logits, labels, { reduction: "sum" }), 1 / targets.length);
}

/** Counts against ⌊T·rate⌋ of the right and of the wrong classes, divided by T. */
function mseCount({ spk }: Output, targets: readonly number[], right: number, wrong: number): Tensor {
  const [T, , K] = spk.shape as [number, number, number];
  const counts = targets.map((target) => {
    return Array.from({ length: K }, (_, k) => Math.trunc(T * (k === target ? right : wrong)));
  });
  return mul(mseLoss(spikeCount(spk), tensor(counts)), 1 / T);
}

/** The groups of the pattern are the parameters. */
interface NamedLoss {
  readonly pattern: RegExp;
  readonly loss: (output: Output, targets: readonly number[], ...parameters: number[]) => Tensor;
}

const LOSSES: readonly NamedLoss[] = [
  { pattern: /^sum_t CE\(mem\d\[t\]\)$/, loss: ({ mem }, targets) => crossEntropySum(mem, targets) },
  { pattern: /^CE\(mean_t spk\d\)$/, loss: ({ spk }, targets) => crossEntropy(meanOverTime(spk), targets) },
  {
    pattern: /^snntorch ce_rate_loss\(spk\d\)$/,
    loss: ({ spk }, targets) => mul(crossEntropySum(spk, targets), 1 / (spk.shape[0] as number)),
  },
  {
    pattern: /^snntorch ce_count_loss\(spk\d\)$/,
    loss: ({ spk }, targets) => crossEntropy(spikeCount(spk), targets),
  },
  {
    pattern: /^snntorch ce_max_membrane_loss\(mem\d\)$/,
    loss: ({ mem }, targets) => crossEntropy(max(mem, { axis: 0 }).values, targets),
  },
  {
    pattern: /^snntorch mse_count_loss\(([\d.]+), *([\d.]+)\)\(spk\d\)$/,
    loss: (output, targets, right, wrong) => mseCount(output, targets, right as number, wrong as number),
  },
];

export function lossOf(text: string): Loss {
  for (const { pattern, loss } of LOSSES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const parameters = match.slice(1).map(Number);
    return (output, targets) => loss(output, targets, ...parameters);
  }
  throw new Error(`no loss for ${JSON.stringify(text)}`);
}
