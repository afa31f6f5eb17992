/**
 * Decides whether threads are faster than one thread. On a busy machine, a thread may claim a part and then lose its
 * processor. The main thread waits for it longer than the part would take here.
 *
 * Each shared order adds its gain: the estimated time of one thread, minus the time that the order took. The estimate
 * is the sum of the times of all parts. A part that took much longer than the fastest was interrupted, so only a
 * limited time counts. If the sum of gains falls below a limit, the main thread works alone for many times the lost
 * time, which frees the processors, and then tries threads again. So a busy machine costs a small share of the time,
 * and threads return soon.
 */

/** In milliseconds: largest sum of gains, and the loss at which the main thread starts to work alone. */
const CREDIT = 4;
const LOSS = 1;
/** The main thread works alone for ALONE times the loss, at most LONGEST milliseconds. */
const ALONE = 25;
const LONGEST = 500;
/** A part's time counts up to UNEVEN times the fastest part plus SLACK milliseconds; a longer part was interrupted. */
const UNEVEN = 1.5;
const SLACK = 0.1;

/** The sum of gains, and whether the main thread works alone. */
export class Gain {
  private readonly clock: () => number;
  private sum = 0;
  /** Start of working alone (0: threads take part), and its duration. */
  private began = 0;
  private rest = 0;

  constructor(clock: () => number = () => performance.now()) {
    this.clock = clock;
  }

  /** Whether the main thread works alone. */
  isAlone(): boolean {
    if (this.began === 0) return false;
    if (this.clock() - this.began < this.rest) return true;
    this.began = 0;
    return false;
  }

  /** The time in milliseconds. */
  now(): number {
    return this.clock();
  }

  /**
   * Adds the gain of an order that took `took` milliseconds. The first `count` entries of `parts` are the times of its
   * parts.
   */
  note(took: number, parts: readonly number[], count: number): void {
    let fastest = took;
    for (let i = 0; i < count; i++) fastest = Math.min(fastest, parts[i] as number);
    const most = UNEVEN * fastest + SLACK;
    let together = 0;
    for (let i = 0; i < count; i++) together += Math.min(most, parts[i] as number);
    this.sum = Math.min(CREDIT, this.sum + together - took);
    if (this.sum >= -LOSS) return;
    this.rest = Math.min(LONGEST, -ALONE * this.sum);
    this.began = this.clock();
    this.sum = 0;
  }
}
