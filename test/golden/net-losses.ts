/** The losses of the network goldens, by the text that names them there. */
import { crossEntropy, maxMembrane, meanOverTime, mseLoss, mul, spikeCount, type Tensor, tensor } from "jarvis-snn";

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

const LOSSES: readonly (readonly [pattern: RegExp, make: (...parameters: number[]) => Loss])[] = [
  [
    /^sum_t CE\(mem\d\[t\]\)$/,
    () =>
      ({ mem }, targets) =>
        crossEntropySum(mem, targets),
  ],
  [
    /^CE\(mean_t spk\d\)$/,
    () =>
      ({ spk }, targets) =>
        crossEntropy(meanOverTime(spk), targets),
  ],
  [
    /^snntorch ce_rate_loss\(spk\d\)$/,
    () =>
      ({ spk }, targets) =>
        mul(crossEntropySum(spk, targets), 1 / (spk.shape[0] as number)),
  ],
  [
    /^snntorch ce_count_loss\(spk\d\)$/,
    () =>
      ({ spk }, targets) =>
        crossEntropy(spikeCount(spk), targets),
  ],
  [
    /^snntorch ce_max_membrane_loss\(mem\d\)$/,
    () =>
      ({ mem }, targets) =>
        crossEntropy(maxMembrane(mem), targets),
  ],
  [
    /^snntorch mse_count_loss\(([\d.]+), *([\d.]+)\)\(spk\d\)$/,
    (right, wrong) => (output, targets) => mseCount(output, targets, right as number, wrong as number),
  ],
];

export function lossOf(text: string): Loss {
  for (const [pattern, make] of LOSSES) {
    const match = pattern.exec(text);
    if (match !== null) return make(...match.slice(1).map(Number));
  }
  throw new Error(`no loss for ${JSON.stringify(text)}`);
}
