/** Which class leads. Diagram, rows, scores, map and accuracy all ask here, so that they agree at every step. */

/** The class of the largest score; −1 while several classes share it, as all do until a spike has reached the readout. */
export function leaderOf(scores: ArrayLike<number>): number {
  let leader = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < scores.length; k++) {
    const score = scores[k] as number;
    if (score === largest) leader = -1;
    if (score <= largest) continue;
    leader = k;
    largest = score;
  }
  return leader;
}

/** The scores [T, K] if the sample ended at each step: the readout [T, K], or its largest values until then. */
export function scoresOverTime(readout: Float32Array, classes: number, judgedByMaximum: boolean): Float32Array {
  const scores = readout.slice();
  for (let i = classes; judgedByMaximum && i < scores.length; i++) {
    scores[i] = Math.max(scores[i] as number, scores[i - classes] as number);
  }
  return scores;
}

/** The leader at each step of scores [T, K]. */
export function leadersOverTime(scores: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: scores.length / classes }, (_, t) =>
    leaderOf(scores.subarray(t * classes, (t + 1) * classes)),
  );
}

/** The step from which on the winner leads by more than half of its margin at the end; −1 without a winner. */
export function decidedAt(scores: Float32Array, classes: number): number {
  const last = scores.length / classes - 1;
  const winner = leaderOf(scores.subarray(last * classes));
  if (winner < 0) return -1;
  const margin = (t: number): number => {
    const others = scores.slice(t * classes, (t + 1) * classes);
    const own = others[winner] as number;
    others[winner] = Number.NEGATIVE_INFINITY;
    return own - Math.max(...others);
  };
  const half = margin(last) / 2;
  let t = last;
  while (t > 0 && margin(t - 1) > half) t--;
  return t;
}
