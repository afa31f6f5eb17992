/**
 * Loss and accuracy along a run. A point covers as many steps as `strideAt` says, so the first steps, in which most is
 * learned, keep a point each however long the run gets, and the points grow with the logarithm of the steps.
 */

/** Points of each octave of steps. */
const PER_OCTAVE = 128;

/** The distance of what is kept at a step: 1 up to 2n, then twice as much in each octave, so an octave keeps n. */
export function strideAt(step: number, n: number): number {
  let stride = 1;
  while (step >= 2 * n * stride) stride *= 2;
  return stride;
}

/** Points from one on, which replace all that came at and behind its place. */
export interface Changes {
  readonly from: number;
  readonly steps: number[];
  readonly loss: (number | null)[];
  readonly accuracy: (number | null)[];
}

export class History {
  readonly steps: number[] = [];
  /** Mean loss of the steps of a point. */
  readonly loss: (number | null)[] = [];
  readonly accuracy: (number | null)[] = [];
  /** Steps in the last point, and the first point that `changes` has not told. */
  private inLast = 0;
  private untold = 0;
  /** The last accuracy is taken back with the next step. */
  private passes = false;

  /** The loss of the training step that led to `step`; null for the step at which a run begins. */
  record(step: number, loss: number | null): void {
    if (this.passes) this.measure(null);
    const before = this.steps.at(-1);
    const open = before !== undefined && this.inLast > 0 && before % strideAt(before, PER_OCTAVE) !== 0;
    if (!open) {
      this.inLast = 0;
      this.steps.push(step);
      this.loss.push(null);
      this.accuracy.push(null);
    }
    const last = this.steps.length - 1;
    this.steps[last] = step;
    if (loss !== null) {
      this.loss[last] = ((this.loss[last] ?? 0) * this.inLast + loss) / (this.inLast + 1);
      this.inLast++;
    }
    this.untold = Math.min(this.untold, last);
  }

  /** The accuracy at the last step. It stays, or passes with the next step: curves of equal runs have equal points, whenever one looks. */
  measure(accuracy: number | null, stays = true): void {
    const last = this.steps.length - 1;
    this.passes = !stays && (this.passes || this.accuracy[last] === null);
    this.accuracy[last] = accuracy;
    this.untold = Math.min(this.untold, last);
  }

  /** The points that are new since the last call. */
  changes(): Changes {
    const from = this.untold;
    this.untold = this.steps.length;
    return {
      from,
      steps: this.steps.slice(from),
      loss: this.loss.slice(from),
      accuracy: this.accuracy.slice(from),
    };
  }

  /** Takes the changes of another history. */
  apply({ from, steps, loss, accuracy }: Changes): void {
    this.steps.splice(from, Infinity, ...steps);
    this.loss.splice(from, Infinity, ...loss);
    this.accuracy.splice(from, Infinity, ...accuracy);
  }

  clear(): void {
    for (const list of [this.steps, this.loss, this.accuracy]) list.length = 0;
  }
}
