/** Time passes again and again over the axis of a figure while it is seen, until a hand takes the cursor or the button rests it. */
import { cursor } from "./cursor.ts";
import { button } from "./dom.ts";

/** Seconds of a pass, and seconds for which the end stays. */
const PASS = 6;
const STAY = 2;

export class Passes {
  readonly button = button("", () => this.press(), { class: "primary", "data-action": "play" });
  private isRunning: boolean;
  private isSeen = false;

  /** `still`: time waits for a press. */
  constructor(still: boolean) {
    this.isRunning = !still;
    cursor.subscribe(() => this.follow());
    this.follow();
  }

  play(): void {
    this.isSeen = true;
    if (!this.isRunning) return;
    if (cursor.share === null) cursor.set(0);
    cursor.play(PASS, STAY);
  }

  rest(): void {
    this.isSeen = false;
    if (cursor.playing) cursor.set(cursor.share);
  }

  /** Shows the end at once, as after a change; time passes again later. */
  end(): void {
    cursor.set(null);
  }

  /** One pass; returns its seconds. */
  film(): number {
    cursor.set(0);
    cursor.play(PASS);
    return PASS;
  }

  /** Time passes again when a hand has left the cursor. */
  private follow(): void {
    if (this.isRunning && this.isSeen && cursor.share === null) cursor.play(PASS, STAY);
    this.button.textContent = cursor.playing ? "Pause" : "Play";
  }

  private press(): void {
    this.isRunning = !cursor.playing;
    if (cursor.playing) cursor.set(cursor.share);
    else {
      if ((cursor.share ?? 1) === 1) cursor.set(0);
      cursor.play(PASS, STAY);
    }
  }
}
