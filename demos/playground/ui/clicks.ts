/** Spikes that one hears: a switch, off until it is pressed, and a short tone a spike. */
import { button } from "./dom.ts";

/** The loudness of a tone, the one to which it falls, and the seconds that it takes. */
const [LOUD, SILENT, SECONDS] = [0.15, 0.001, 0.03];
const HERTZ = 1200;

export class Clicks {
  readonly button: HTMLButtonElement;
  private context: AudioContext | null = null;
  private isOn = false;

  /** `onSwitch` hears what the reader chooses. */
  constructor(onSwitch: (isOn: boolean) => void = () => {}) {
    this.button = button(
      "Sound",
      () => {
        this.isOn = !this.isOn;
        this.button.setAttribute("aria-pressed", String(this.isOn));
        this.context ??= new AudioContext();
        this.follow();
        onSwitch(this.isOn);
      },
      { "aria-pressed": "false" },
    );
    document.addEventListener("visibilitychange", () => this.follow());
  }

  /** A spike now. */
  click(hertz = HERTZ): void {
    const { context } = this;
    if (context?.state !== "running") return;
    const [tone, gain, now] = [context.createOscillator(), context.createGain(), context.currentTime];
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(LOUD, now);
    gain.gain.exponentialRampToValueAtTime(SILENT, now + SECONDS);
    tone.connect(gain).connect(context.destination);
    tone.start(now);
    tone.stop(now + SECONDS);
  }

  private follow(): void {
    const { context, isOn } = this;
    if (context === null) return;
    void (isOn && document.visibilityState === "visible" ? context.resume() : context.suspend());
  }
}
