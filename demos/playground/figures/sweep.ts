/** Between two pictures at least: a sweep of seconds moves by less than a pixel in that time. */
const PICTURE_MS = 30;

/** Time that flows while a figure plays: a share of a window, which begins anew at its end. */
export class Sweep {
  /** The place in the window, from 0 to 1. */
  share: number;
  private readonly seconds: number;
  private readonly onMove: () => void;
  private frame = 0;
  private before = 0;
  private isPlaying = false;
  private isHeld = false;

  /** With `still` no time flows: the window is at its end, where all of it is seen. */
  constructor(seconds: number, still: boolean, onMove: () => void) {
    this.seconds = still ? Number.POSITIVE_INFINITY : seconds;
    this.share = still ? 1 : 0;
    this.onMove = onMove;
  }

  play(): void {
    this.isPlaying = true;
    this.follow();
  }

  rest(): void {
    this.isPlaying = false;
    this.follow();
  }

  /** Holds the time at a place until it is released. */
  hold(share: number): void {
    this.isHeld = true;
    this.share = share;
    this.follow();
    this.onMove();
  }

  release(): void {
    this.isHeld = false;
    // Without flow the window shows all of itself again.
    if (this.seconds === Number.POSITIVE_INFINITY) this.share = 1;
    this.follow();
    this.onMove();
  }

  private follow(): void {
    const flows = this.isPlaying && !this.isHeld && this.seconds < Number.POSITIVE_INFINITY;
    if (!flows) {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
    } else if (this.frame === 0) {
      this.before = performance.now();
      this.frame = requestAnimationFrame((now) => this.advance(now));
    }
  }

  private advance(now: number): void {
    this.frame = requestAnimationFrame((next) => this.advance(next));
    const passed = now - this.before;
    if (passed < PICTURE_MS) return;
    this.share = (this.share + passed / (1000 * this.seconds)) % 1;
    this.before = now;
    this.onMove();
  }
}
