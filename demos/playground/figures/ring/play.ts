/** A bump in the hands of a reader: who sets a cue, and what is remembered of it. */
import { Bump, CUE_MS, SILENCE_MS, STORY_MS } from "../../../ring/bump.ts";
import type { Picture } from "./paint.ts";
import { Trail } from "./trail.ts";

/** A story as a link has it: degrees of the first cue, neurons of each ring, and the input that pushes. */
interface Beginning {
  readonly angle: number;
  readonly size: number;
  readonly push: number;
}

/** Begins as `story` of demos/ring does, and goes on as the reader wants. While there is a cue nothing pushes. */
export class Play implements Picture {
  readonly trail: Trail;
  cue: number | null;
  /** Where the last cue ended, and when. */
  left: number | null = null;
  leftTime = 0;
  push: number;
  /** The hash of the first three seconds, once they are over. */
  hash: number | null = null;
  private readonly bump: Bump;
  private isHeld = false;
  private cueEnd = CUE_MS;
  private silenceEnd = 0;

  constructor({ angle, size, push }: Beginning) {
    this.bump = new Bump(size);
    this.trail = new Trail(size);
    this.cue = angle;
    this.push = push;
  }

  get time(): number {
    return this.bump.time;
  }

  get direction(): number | null {
    return this.bump.direction;
  }

  get isSilent(): boolean {
    return this.time < this.silenceEnd;
  }

  /** Shows a cue at a direction, until it is released. */
  hold(degrees: number): void {
    if (!this.isHeld) this.cueEnd = this.time + CUE_MS;
    this.isHeld = true;
    this.cue = degrees;
  }

  /** Ends the cue, after half a second at least. */
  release(): void {
    this.isHeld = false;
  }

  silence(): void {
    this.bump.silence();
    this.silenceEnd = this.time + SILENCE_MS;
  }

  pass(ms: number): void {
    for (const end = this.time + ms; this.time < end; ) {
      const stops = [end, ...(this.cue === null || this.isHeld ? [] : [this.cueEnd]), STORY_MS];
      const next = Math.min(...stops.filter((stop) => stop > this.time));
      const velocity = this.cue === null ? this.push : 0;
      this.bump.advance(next - this.time, { cue: this.cue, velocity }, this.trail.add);
      if (this.cue !== null && !this.isHeld && this.time >= this.cueEnd) {
        this.left = this.cue;
        this.leftTime = this.time;
        this.cue = null;
      }
      if (this.time === STORY_MS) this.hash = this.bump.hash;
    }
    this.trail.reach(this.time);
  }
}
