/** A window of nine weights over a drawing, and the neurons of all its places. */
import { currentPalette, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { examples, formatImage, parseImage, stroke } from "../../model/image.ts";
import { formatValues, parseValues } from "../../state/fields.ts";
import { CanvasView, onThemeChange } from "../../ui/canvas.ts";
import { cursor } from "../../ui/cursor.ts";
import { button, element, figure } from "../../ui/dom.ts";
import { Pad } from "../../ui/pad.ts";
import { Passes } from "../../ui/passes.ts";
import { StackView } from "../../ui/stack-view.ts";
import type { Mount } from "../figure.ts";
import { FILTERS, type Filter, type FilterConfig, filtered, filterFields, PLACES, STEPS } from "./model.ts";
import { AXIS, filterRows, NAMES, paintFilter, paintMap, paintWindow, sentenceOf, TITLES } from "./paint.ts";

/** Drawings to begin with. */
const { ring, seven, three } = examples;

/** Where keys move the chosen neuron: columns, rows. */
const WAYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const inside = (place: number): number => Math.min(PLACES - 1, Math.max(0, place));

export const mount: Mount = (host, { still, state }) => {
  let config: FilterConfig = parseValues(filterFields, state);
  let scene = filtered(config);

  const passes = new Passes(still);
  const stack = new StackView("The neurons of the map over time");
  const sentence = element("output", { class: "sentence", "aria-live": "polite" });
  const pad = new Pad(
    ({ from, to, erases }) => {
      const image = parseImage(config.image);
      stroke(image, from, to, erases);
      draw(image);
    },
    (pen, width, palette) => paintWindow(pen, config, width, palette),
  );
  const squared = (
    at: HTMLElement,
    label: string,
    paint: (pen: Pen, size: number, palette: Palette) => void,
  ): CanvasView =>
    new CanvasView(
      at,
      { heightFor: (width) => width, paint: (pen, width, _height, palette) => paint(pen, width, palette) },
      label,
    );
  const [weightsHost, mapHost] = [
    element("div", { class: "image" }),
    element("div", {
      class: "image pick",
      tabindex: "0",
      role: "application",
      "aria-label": "The map: arrow keys choose a neuron",
    }),
  ];
  const weights = squared(weightsHost, "The nine weights of the window", (pen, size, palette) =>
    paintFilter(pen, config.filter, size, palette),
  );
  const map = squared(mapHost, "How often each neuron of the map has fired", (pen, size, palette) =>
    paintMap(pen, scene, config, cursor.stepOf(STEPS), size, palette),
  );
  const filters = (Object.keys(FILTERS) as Filter[]).map((filter) =>
    button(NAMES[filter], () => change({ filter }), { "data-filter": filter }),
  );

  function change(some: Partial<FilterConfig>): void {
    config = { ...config, ...some };
    scene = filtered(config);
    show();
  }
  function draw(image: Float32Array): void {
    change({ image: formatImage(image) });
    passes.end();
  }
  const choose = (column: number, row: number): void => change({ column: inside(column), row: inside(row) });

  function show(): void {
    for (const each of filters) each.setAttribute("aria-pressed", String(each.dataset.filter === config.filter));
    pad.show(scene.image);
    weights.update();
    map.update();
    stack.show(filterRows(scene, config, currentPalette()), AXIS);
    sentence.textContent = sentenceOf(scene, config);
  }

  mapHost.addEventListener("pointermove", ({ clientX, clientY }) => {
    const { left, top, width } = mapHost.getBoundingClientRect();
    const [column, row] = [clientX - left, clientY - top].map((at) => Math.floor((at / width) * PLACES));
    choose(column as number, row as number);
  });
  mapHost.addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    if (way === undefined) return;
    choose(config.column + way[0], config.row + way[1]);
    event.preventDefault();
    event.stopPropagation();
  });
  cursor.subscribe(() => map.update());
  onThemeChange(show);

  const examplesOf = { ring, seven, three, nothing: new Float32Array(ring.length) };
  host.append(
    element(
      "div",
      { class: "pictures" },
      figure(...TITLES.drawing, pad.host),
      figure(...TITLES.window, weightsHost),
      figure(...TITLES.map, mapHost),
    ),
    stack.host,
    sentence,
    element("div", { class: "toolbar" }, passes.button, ...filters),
    element(
      "div",
      { class: "toolbar" },
      ...Object.entries(examplesOf).map(([name, image]) => button(name, () => draw(image), { "data-example": name })),
    ),
  );
  show();
  return {
    play: () => passes.play(),
    rest: () => passes.rest(),
    state: () => formatValues(filterFields, config),
    film: () => passes.film(),
  };
};
