/**
 * Whether threads are faster than one: where other programs take the processors, a thread that has claimed a part and lost its processor
 * keeps the main thread waiting, longer than the part would have taken here.
 *
 * Each shared order adds the time that one thread would have taken, less the time that it took. One thread takes as long as all parts
 * together; a part that took much longer than the fastest was interrupted, and counts as a slow one only. Where the sum falls below a limit,
 * the main thread works alone for a while, which leaves the processors to the others, and tries again. So a busy machine costs a few
 * milliseconds in each such period, which doubles while trying fails.
 */

/** Milliseconds: the most that gains of the past make up for, and the loss at which the main thread goes on alone. */
const CREDIT = 4;
const LOSS = 1;
/** Milliseconds that it works alone, at first and at most. */
const SHORTEST = 20;
const LONGEST = 80;
/** A part takes at most so many times as long as the fastest one, and so many milliseconds more: else it was interrupted. */
const UNEVEN = 1.5;
const SLACK = 0.1;

/** The sum of gains, and the time until which the main thread works alone. */
export class Gain {
  private readonly clock: () => number;
  private sum = 0;
  private rest = SHORTEST;
  /** When trying began, and when working alone began; the latter is 0 while threads take part. */
  private tried = 0;
  private alone = 0;

  constructor(clock: () => number = () => performance.now()) {
    this.clock = clock;
  }

  /** Whether the main thread works alone. */
  isAlone(): boolean {
    if (this.alone === 0) return false;
    const now = this.clock();
    if (now - this.alone < this.rest) return true;
    this.alone = 0;
    this.tried = now;
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
    if (this.sum < -LOSS) this.stop();
  }

  private stop(): void {
    const now = this.clock();
    // A try that ended at once says that the machine is still busy.
    this.rest = now - this.tried < this.rest ? Math.min(LONGEST, 2 * this.rest) : SHORTEST;
    this.sum = 0;
    this.alone = now;
  }
}
