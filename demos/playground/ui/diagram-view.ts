import { type DiagramInput, neuronAt, paintDiagram } from "../draw/diagram.ts";
import { CanvasView } from "./canvas.ts";
import { cursor } from "./cursor.ts";
import { element } from "./dom.ts";

/** A neuron of a layer, both counted from 0. */
interface Place {
  readonly layer: number;
  readonly neuron: number;
}

interface DiagramEvents {
  /** The pointer means another neuron, or none. */
  onHover(place: Place | null): void;
  /** A neuron was clicked; with the Alt key, it is to be silent, or to fire again. */
  onPick(place: Place, alt: boolean): void;
}

/** Heights on a phone and elsewhere, and the width at which they change. */
const [LOW, HIGH, WIDE] = [184, 240, 440];

/** The network at the time of the cursor. */
export class DiagramView {
  readonly host = element("div", { class: "diagram" });
  private input: DiagramInput | null = null;
  private readonly view: CanvasView;

  constructor({ onHover, onPick }: DiagramEvents) {
    const { host } = this;
    this.view = new CanvasView(
      host,
      {
        heightFor,
        paint: (pen, width, height, palette) => {
          if (this.input === null) return;
          paintDiagram(pen, { ...this.input, running: cursor.playing }, this.time(), width, height, palette);
        },
      },
      "The network at one moment of the sample: inputs on the left, layers of neurons, the readout on the right",
    );
    cursor.subscribe(() => this.view.update());
    let hovered = "";
    const hover = (place: Place | null): void => {
      const name = place === null ? "" : `${place.layer} ${place.neuron}`;
      host.style.cursor = place === null ? "" : "pointer";
      if (name === hovered) return;
      hovered = name;
      onHover(place);
    };
    host.addEventListener("pointermove", (event) => hover(this.at(event)));
    host.addEventListener("pointerleave", ({ pointerType }) => {
      // A finger has left when it is lifted; its neuron is shown until the next tap.
      if (pointerType === "mouse") hover(null);
    });
    host.addEventListener("click", (event) => {
      const place = this.at(event);
      hover(place);
      if (place !== null) onPick(place, event.altKey);
    });
  }

  show(input: DiagramInput): void {
    this.input = input;
    this.view.update();
  }

  private at({ clientX, clientY }: MouseEvent): Place | null {
    if (this.input === null) return null;
    const { left, top, width } = this.host.getBoundingClientRect();
    return neuronAt(this.input, [clientX - left, clientY - top], width, heightFor(width));
  }

  private time(): number {
    const steps = this.input?.sample.timesteps ?? 1;
    if (cursor.share === null) return steps;
    // At rest, the cursor means the step as a whole: its spikes are half way.
    return cursor.playing ? cursor.share * steps : Math.floor(Math.min(0.999, cursor.share) * steps) + 0.5;
  }
}

function heightFor(width: number): number {
  return width < WIDE ? LOW : HIGH;
}
