/** Milliseconds between two pictures: what takes seconds to cross a figure moves by less than a pixel in that time. */
const PICTURE_MS = 30;

/** Time that passes while a figure is seen: tells how many milliseconds have passed, no sooner than `every` milliseconds after it did before. */
export class Clock {
  private readonly onPass: (ms: number) => void;
  private readonly every: number;
  private frame = 0;
  private before = 0;

  constructor(onPass: (ms: number) => void, every = PICTURE_MS) {
    this.onPass = onPass;
    this.every = every;
  }

  get runs(): boolean {
    return this.frame !== 0;
  }

  /** Lets time pass, or stops it. */
  run(runs: boolean): void {
    if (runs === this.runs) return;
    if (runs) {
      this.before = performance.now();
      this.frame = requestAnimationFrame(this.advance);
    } else {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
    }
  }

  private readonly advance = (now: number): void => {
    this.frame = requestAnimationFrame(this.advance);
    const passed = now - this.before;
    if (passed < this.every) return;
    this.before = now;
    this.onPass(passed);
  };
}
