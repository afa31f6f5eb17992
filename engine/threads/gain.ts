/**
 * Whether threads are faster than one: where other programs take the processors, a thread that has claimed a part and lost its processor
 * keeps the main thread waiting, longer than the part would have taken here.
 *
 * Each shared order adds the time that one thread would have taken, less the time that it took. One thread takes as long as all parts
 * together; a part that took much longer than the fastest was interrupted, and counts as a slow one only. Where the sum falls below a limit,
 * the main thread works alone, which leaves the processors to the others, for many times as long as was lost, and tries again. So a busy
 * machine costs a small share of the time, and threads are back soon after it was busy.
 */

/** Milliseconds: the most that gains of the past make up for, and the loss at which the main thread goes on alone. */
const CREDIT = 4;
const LOSS = 1;
/** It works alone for so many times the loss, and for so many milliseconds at most. */
const ALONE = 25;
const LONGEST = 500;
/** A part takes at most so many times as long as the fastest one, and so many milliseconds more: else it was interrupted. */
const UNEVEN = 1.5;
const SLACK = 0.1;

/** The sum of gains, and the time until which the main thread works alone. */
export class Gain {
  private readonly clock: () => number;
  private sum = 0;
  /** When it began to work alone, 0 while threads take part, and for how long. */
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

  /** Notes an order that took so long, whose first `count` entries of `parts` are the times of its parts. */
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
