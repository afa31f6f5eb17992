import { Clock } from "./clock.ts";

/** A share of a window of time, which grows while a figure plays and begins anew at the end. */
export class Sweep {
  /** The place in the window, from 0 to 1. */
  share: number;
  private readonly seconds: number;
  private readonly still: boolean;
  private readonly onMove: () => void;
  private readonly clock: Clock;
  private isPlaying = false;
  private isHeld = false;

  /** With `still` no time passes: the window is at its end, where all of it is seen. */
  constructor(seconds: number, still: boolean, onMove: () => void) {
    this.seconds = seconds;
    this.still = still;
    this.share = still ? 1 : 0;
    this.onMove = onMove;
    this.clock = new Clock((ms) => {
      this.share = (this.share + ms / (1000 * seconds)) % 1;
      onMove();
    });
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
    if (this.still) this.share = 1;
    this.follow();
    this.onMove();
  }

  /** A loop begins where the window does. */
  readonly film = (): number => {
    this.share = 0;
    this.release();
    return Math.min(8, this.seconds);
  };

  private follow(): void {
    this.clock.run(this.isPlaying && !this.isHeld && !this.still);
  }
}
