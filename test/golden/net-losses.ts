/** The losses of the network goldens, by the text that names them there. */
import {
  ceCountLoss,
  ceMaxMembraneLoss,
  ceRateLoss,
  crossEntropy,
  meanOverTime,
  mseCountLoss,
  mul,
  type Tensor,
} from "jarvis-snn";

/** The output layer over time, [T, B, K]. */
export interface Output {
  readonly spk: Tensor;
  readonly mem: Tensor;
}

type Loss = (output: Output, targets: readonly number[]) => Tensor;

/** The groups of the pattern are the parameters. */
interface NamedLoss {
  readonly pattern: RegExp;
  readonly loss: (output: Output, targets: readonly number[], ...parameters: number[]) => Tensor;
}

const LOSSES: readonly NamedLoss[] = [
  {
    pattern: /^sum_t CE\(mem\d\[t\]\)$/,
    loss: ({ mem }, targets) => mul(ceRateLoss(mem, targets), mem.shape[0] as number),
  },
  { pattern: /^CE\(mean_t spk\d\)$/, loss: ({ spk }, targets) => crossEntropy(meanOverTime(spk), targets) },
  { pattern: /^snntorch ce_rate_loss\(spk\d\)$/, loss: ({ spk }, targets) => ceRateLoss(spk, targets) },
  { pattern: /^snntorch ce_count_loss\(spk\d\)$/, loss: ({ spk }, targets) => ceCountLoss(spk, targets) },
  { pattern: /^snntorch ce_max_membrane_loss\(mem\d\)$/, loss: ({ mem }, targets) => ceMaxMembraneLoss(mem, targets) },
  {
    pattern: /^snntorch mse_count_loss\(([\d.]+), *([\d.]+)\)\(spk\d\)$/,
    loss: ({ spk }, targets, correctRate = 1, incorrectRate = 0) =>
      mseCountLoss(spk, targets, { correctRate, incorrectRate }),
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
