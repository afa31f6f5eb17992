/** The one time cursor of the page: a share of the time axis, or nowhere. Every plot over time shows it. */
import { Clock } from "./clock.ts";

type Listener = (share: number | null) => void;

let current: number | null = null;
let clock: Clock | null = null;
let repeats = false;
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

  /** Time passes again and again, until somebody takes the cursor. */
  get repeating(): boolean {
    return this.playing && repeats;
  },

  /**
   * Runs through the time axis once in so many seconds, from where it is or from the start. With `stay` it does so again and again, and rests
   * for so many seconds at the end, where it also begins.
   */
  play(seconds: number, stay?: number): void {
    clock?.run(false);
    repeats = stay !== undefined;
    const end = 1 + (stay ?? 0) / seconds;
    let share = current ?? 1;
    if (share >= 0.999) share = repeats ? 1 : 0;
    const pass = (ms: number): void => {
      share += ms / (1000 * seconds);
      if (share >= end && repeats) share = 0;
      else if (share >= end) clock?.run(false);
      move(Math.min(1, share));
    };
    // Who wants little motion gets two pictures a second.
    clock = matchMedia("(prefers-reduced-motion: reduce)").matches ? new Clock(pass, 500) : new Clock(pass);
    clock.run(true);
    move(Math.min(1, share));
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
