/** The state of the figure: the last seconds of the large pole, the small carts, and the lengths of their tries. */
import type { BalanceMessage, BalancePhase, Moment } from "../worker/tasks/balance.ts";

/** Updates of the schedule. */
export const UPDATES = 300;
/** Seconds that a try of a small cart lasts at most. */
export const TRY = 10;
export const CARTS = 16;
export const STEP_SECONDS = 0.02;
/** Seconds of the large pole that are shown. */
export const SHOWN = 4;
const MOMENTS = Math.round(SHOWN / STEP_SECONDS);

/** Small carts before the first update. */
const UPRIGHT: BalanceMessage["carts"] = Array.from({ length: CARTS }, () => [0, 0, 0]);

export class Scene {
  phase: BalancePhase = "stopped";
  seed = 0;
  updates = 0;
  seconds = 0;
  /** The position of the cart of the large pole. */
  x = 0;
  stood = 0;
  kicks = 0;
  falls = 0;
  hash = "";
  carts: BalanceMessage["carts"] = UPRIGHT;
  /** The last moments of the large pole, the one of now last. */
  moments: Moment[] = [];
  curve: { readonly updates: number; readonly lasted: number }[] = [];

  show({ lasted, carts, moments, ...rest }: BalanceMessage): void {
    const { updates } = rest;
    if (updates === 0) this.curve = [];
    if (updates !== this.updates && !Number.isNaN(lasted)) this.curve.push({ updates, lasted });
    this.carts = carts.length > 0 ? carts : UPRIGHT;
    Object.assign(this, rest);
    this.moments = [...this.moments, ...moments].slice(-MOMENTS);
  }

  /** The angle of the large pole. */
  get angle(): number {
    return this.moments.at(-1)?.angle ?? 0;
  }

  /** The mean push of the last moments, from −1 to 1: the cart is pushed to and fro fifty times a second. */
  get push(): number {
    const last = this.moments.slice(-10);
    return last.reduce((sum, { push }) => sum + push, 0) / Math.max(1, last.length);
  }
}
