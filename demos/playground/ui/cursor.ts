/** The one time cursor of the page: a share of the time axis, or nowhere. Every plot over time shows it. */
type Listener = (share: number | null) => void;

let current: number | null = null;
let frame = 0;
const listeners = new Set<Listener>();

export const cursor = {
  get share(): number | null {
    return current;
  },

  /** Puts the cursor there. */
  set(share: number | null): void {
    cancelAnimationFrame(frame);
    frame = 0;
    move(share);
  },

  get playing(): boolean {
    return frame !== 0;
  },

  /** Runs through the time axis once in so many seconds, from where it is or from the start. */
  play(seconds: number): void {
    cancelAnimationFrame(frame);
    // Who wants little motion gets two pictures a second.
    const pause = matchMedia("(prefers-reduced-motion: reduce)").matches ? 500 : 0;
    let shown = Number.NEGATIVE_INFINITY;
    const from = current === null || current >= 0.999 ? 0 : current;
    const start = performance.now();
    const advance = (now: number): void => {
      const share = from + Math.max(0, now - start) / (1000 * seconds);
      if (share >= 1) {
        frame = 0;
        move(1);
        return;
      }
      frame = requestAnimationFrame(advance);
      if (now - shown < pause) return;
      shown = now;
      move(share);
    };
    frame = requestAnimationFrame(advance);
    move(from);
  },

  /** Plays, or rests where it is. */
  toggle(seconds: number): void {
    if (frame === 0) this.play(seconds);
    else this.set(current);
  },

  /** The step that the cursor is in, or the last one. */
  stepOf(steps: number): number {
    return current === null ? steps - 1 : Math.min(steps - 1, Math.floor(current * steps));
  },

  /** On to the middle of the next step, or of the first one. */
  next(steps: number): void {
    const t = current === null ? 0 : Math.min(steps - 1, this.stepOf(steps) + 1);
    this.set((t + 0.5) / steps);
  },

  subscribe(listener: Listener): void {
    listeners.add(listener);
  },
};

function move(share: number | null): void {
  current = share;
  for (const listener of listeners) listener(share);
}
