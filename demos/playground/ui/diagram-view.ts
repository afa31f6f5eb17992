import { type DiagramInput, paintDiagram } from "../draw/diagram.ts";
import { CanvasView } from "./canvas.ts";
import { cursor } from "./cursor.ts";
import { element } from "./dom.ts";

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
        paint: (pen, width, height, palette) => {
          if (this.input !== null) paintDiagram(pen, this.input, this.time(), width, height, palette);
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

  private time(): number {
    const steps = this.input?.sample.timesteps ?? 1;
    if (cursor.share === null) return steps;
    // At rest, the cursor means the step as a whole: its spikes are half way.
    return cursor.playing ? cursor.share * steps : Math.floor(Math.min(0.999, cursor.share) * steps) + 0.5;
  }
}
