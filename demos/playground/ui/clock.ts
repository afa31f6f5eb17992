import { paintChanged } from "./canvas.ts";

/** Milliseconds between two pictures at least: what takes seconds to cross a figure moves by less than a pixel in that time. */
const PICTURE_MS = 25;

/** Clocks that run. Their time passes in the same frame; until the next picture the page asks for no frame. */
const running = new Set<Clock>();
let isWaiting = false;

function wait(): void {
  if (isWaiting || running.size === 0) return;
  isWaiting = true;
  setTimeout(() => requestAnimationFrame(pass), PICTURE_MS);
}

function pass(now: number): void {
  isWaiting = false;
  wait();
  for (const clock of running) clock.pass(now);
  paintChanged();
}

/** Time that passes while a figure is seen: tells how many milliseconds have passed, no sooner than `every` milliseconds after it did before. */
export class Clock {
  private readonly onPass: (ms: number) => void;
  private readonly every: number;
  private before = 0;

  constructor(onPass: (ms: number) => void, every = 0) {
    this.onPass = onPass;
    this.every = every;
  }

  get runs(): boolean {
    return running.has(this);
  }

  /** Lets time pass, or stops it. */
  run(runs: boolean): void {
    if (runs === this.runs) return;
    this.before = performance.now();
    if (runs) running.add(this);
    else running.delete(this);
    wait();
  }

  /** The time of a frame. A frame may have begun before the clock. */
  pass(now: number): void {
    const passed = now - this.before;
    if (passed <= 0 || passed < this.every) return;
    this.before = now;
    this.onPass(passed);
  }
}
