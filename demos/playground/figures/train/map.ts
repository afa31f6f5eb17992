/** The map of decisions: which class the network sees where; a click or the arrow keys ask about a point. */
import { paintMap } from "../../draw/charts.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { element } from "../../ui/dom.ts";
import type { Setup } from "./protocol.ts";

/** How far an arrow key goes. */
const NUDGE = 0.02;

type Place = readonly [number, number];

export class DecisionMap {
  readonly host = element("div", {
    class: "map",
    tabindex: "0",
    role: "group",
    "aria-label": "Map of decisions; arrow keys move the sample",
  });
  private setup: Setup | null = null;
  private map: Float32Array | null = null;
  private place: Place = [0.5, 0.5];
  private readonly view: CanvasView;

  constructor(onPlace: (place: Place) => void) {
    const { host } = this;
    this.view = new CanvasView(
      host,
      {
        heightFor: (width) => width,
        paint: (pen, width, _height, palette) => {
          const { setup, map, place } = this;
          if (setup === null || setup.points === null) return;
          paintMap(pen, { map, points: setup.points, labels: setup.labels, at: place }, width, palette);
        },
      },
      "Certainty of the network over the plane, with the test samples",
    );
    const ask = (event: PointerEvent): void => {
      const box = host.getBoundingClientRect();
      onPlace([(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height]);
    };
    host.addEventListener("pointerdown", ask);
    host.addEventListener("pointermove", (event) => {
      if (event.buttons === 1) ask(event);
    });
    host.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (way === undefined) return;
      const [x, y] = this.place;
      onPlace([x + NUDGE * (way[0] as number), y + NUDGE * (way[1] as number)]);
      event.preventDefault();
      event.stopPropagation();
    });
  }

  show(setup: Setup, map: Float32Array | null, place: Place): void {
    const isOther = setup !== this.setup || map !== this.map || String(place) !== String(this.place);
    this.setup = setup;
    this.map = map;
    this.place = place;
    if (isOther) this.view.update();
  }
}
