import { type DiagramInput, paintDiagram } from "../draw/diagram.ts";
import { CanvasView } from "./canvas.ts";
import { cursor } from "./cursor.ts";
import { button, download, element } from "./dom.ts";

/** The network at the time of the cursor. */
export class DiagramView {
  readonly host = element("div", { class: "diagram" });
  private input: DiagramInput | null = null;
  private readonly view: CanvasView;

  constructor(height: number) {
    this.host.style.height = `${height}px`;
    this.view = new CanvasView(
      this.host,
      {
        heightFor: () => height,
        paint: (pen, width, height, theme) => {
          // A film of a canvas has no ground of its own.
          pen.boxes([0, 0, width, height], theme.paper);
          if (this.input !== null) paintDiagram(pen, this.input, this.time(), width, height, theme);
        },
      },
      "The network at one moment of the sample: inputs on the left, layers of neurons, the readout on the right",
    );
    cursor.subscribe(() => this.view.update());
  }

  show(input: DiagramInput): void {
    this.input = input;
    this.view.update();
  }

  svg(): string {
    return this.view.svg();
  }

  /** A button that records one pass of the cursor as a film, of so many seconds. */
  filmButton(seconds: () => number, name: () => string, onProblem: (message: string) => void): HTMLButtonElement {
    const label = "Film (WebM)";
    const made = button(label, () => {
      if (typeof MediaRecorder === "undefined" || !MediaRecorder.isTypeSupported("video/webm")) {
        onProblem("This browser records no WebM films. The picture of the network can be kept instead.");
        return;
      }
      made.disabled = true;
      made.textContent = `Recording for ${Math.round(seconds())} s …`;
      this.record(seconds(), name(), () => {
        made.disabled = false;
        made.textContent = label;
      });
    });
    return made;
  }

  private record(seconds: number, name: string, onEnd: () => void): void {
    const stream = this.view.canvas.captureStream(30);
    const recorder = new MediaRecorder(stream, { mimeType: "video/webm" });
    const parts: Blob[] = [];
    recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
    recorder.addEventListener("stop", async () => {
      onEnd();
      download(name, await new Blob(parts).arrayBuffer(), "video/webm");
    });
    recorder.start();
    cursor.set(0);
    cursor.play(seconds);
    setTimeout(() => recorder.stop(), 1000 * seconds + 300);
  }

  private time(): number {
    const steps = this.input?.sample.timesteps ?? 1;
    if (cursor.share === null) return steps;
    // At rest, the cursor means the step as a whole: its spikes are half way.
    return cursor.playing ? cursor.share * steps : Math.floor(Math.min(0.999, cursor.share) * steps) + 0.5;
  }
}
