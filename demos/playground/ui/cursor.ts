/** The one time cursor of the page: a share of the time axis, or nowhere. Every plot over time shows it. */
import { Clock } from "./clock.ts";

type Listener = (share: number | null) => void;

let current: number | null = null;
let clock: Clock | null = null;
const listeners = new Set<Listener>();

export const cursor = {
  get share(): number | null {
    return current;
  },

  /** Puts the cursor there. */
  set(share: number | null): void {
    clock?.run(false);
    move(share);
  },

  get playing(): boolean {
    return clock?.runs === true;
  },

  /** Runs through the time axis once in so many seconds, from where it is or from the start. */
  play(seconds: number): void {
    clock?.run(false);
    let share = current === null || current >= 0.999 ? 0 : current;
    const pass = (ms: number): void => {
      share = Math.min(1, share + ms / (1000 * seconds));
      if (share === 1) clock?.run(false);
      move(share);
    };
    // Who wants little motion gets two pictures a second.
    clock = matchMedia("(prefers-reduced-motion: reduce)").matches ? new Clock(pass, 500) : new Clock(pass);
    clock.run(true);
    move(share);
  },

  /** Plays, or rests where it is. */
  toggle(seconds: number): void {
    if (this.playing) this.set(current);
    else this.play(seconds);
  },

  /** The step that the cursor is in, or the last one. */
  stepOf(steps: number): number {
    return current === null ? steps - 1 : Math.min(steps - 1, Math.floor(current * steps));
  },

  subscribe(listener: Listener): void {
    listeners.add(listener);
  },
};

function move(share: number | null): void {
  current = share;
  for (const listener of listeners) listener(share);
}
