/** A map of the plane at the time of the cursor: which class the network sees where, or where a neuron fires; a click or the arrow keys ask about a point. */
import { paintMap } from "../../draw/charts.ts";
import { mapAt } from "../../model/views.ts";
import { CanvasView } from "../../ui/canvas.ts";
import { cursor } from "../../ui/cursor.ts";
import { element } from "../../ui/dom.ts";
import type { PlaneMap, Setup } from "./protocol.ts";

/** How far an arrow key goes. */
const NUDGE = 0.02;

type Place = readonly [number, number];

export class DecisionMap {
  private readonly title = element("strong");
  private readonly text = element("span");
  private readonly host = element("div", {
    class: "map",
    tabindex: "0",
    role: "group",
  });
  /** The map with its title. */
  readonly node = element("figure", { class: "plane" }, this.host, element("figcaption", {}, this.title, this.text));
  private setup: Setup | null = null;
  private map: PlaneMap | null = null;
  private place: Place = [0.5, 0.5];
  private readonly view: CanvasView;

  constructor(onPlace: (place: Place) => void) {
    const { host } = this;
    // Its place is kept before there is a map.
    this.name(null);
    this.view = new CanvasView(
      host,
      {
        heightFor: (width) => width,
        paint: (pen, width, _height, palette) => {
          const { setup, map, place } = this;
          if (setup === null || setup.points === null) return;
          const { timesteps } = setup.config;
          const values = map === null ? null : mapAt(map.map, timesteps, cursor.stepOf(timesteps));
          const marks = { points: setup.points, labels: setup.labels, at: place };
          if (map === null || values === null || map.of === null) {
            paintMap(pen, { map: values, ...marks }, width, palette);
            return;
          }
          const most = mapAt(map.map, timesteps, timesteps - 1).reduce((max, value) => Math.max(max, value), 1);
          const color = palette.layers[map.of.layer] as string;
          paintMap(
            pen,
            { map: null, shares: { values: values.map((value) => value / most), color }, ...marks },
            width,
            palette,
          );
        },
      },
      "Certainty of the network over the plane, with the test samples",
    );
    cursor.subscribe(() => this.view.update());
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

  show(setup: Setup, map: PlaneMap | null, place: Place): void {
    this.node.hidden = setup.points === null;
    const isOther = setup !== this.setup || map !== this.map || String(place) !== String(this.place);
    this.setup = setup;
    this.map = map;
    this.place = place;
    if (!isOther) return;
    this.view.update();
    this.name(map?.of ?? null);
  }

  /** Says what the map shows: the decisions, or where a neuron fires. */
  private name(of: PlaneMap["of"]): void {
    const name = of === null ? "What it decides where" : `Neuron ${of.neuron + 1} of layer ${of.layer + 1}`;
    this.title.textContent = name;
    this.host.setAttribute("aria-label", `Map: ${name}; arrow keys move the point that is asked about`);
    this.text.textContent =
      of === null
        ? "The deeper the colour, the surer. Click to ask about a point."
        : "The deeper the colour, the more spikes it fires there.";
  }
}
