/** A network that has learned two moons: its connections, what it decides where, and one sample over time. */
import { paintMap } from "../../draw/charts.ts";
import { paintDiagram } from "../../draw/diagram.ts";
import { LIGHT, type Palette } from "../../draw/palette.ts";
import { PlacedPen } from "../../draw/pen.ts";
import { paintStack, type Row, StackLayout } from "../../draw/stack.ts";
import { trainFields } from "../../model/train-fields.ts";
import { completed, mapAt } from "../../model/views.ts";
import { defaults } from "../../state/fields.ts";
import type { Poster } from "../figure.ts";
import type { Detail } from "./protocol.ts";
import { axisOf, classNamesOf, inputTitleOf, sampleRows } from "./rows.ts";
import { Session } from "./session.ts";

/** Training steps, the moment that the diagram shows, and the height of the diagram. */
const [STEPS, MOMENT, TOP] = [200, 4.5, 240];
/** A wide picture has the map beside the diagram. */
const [WIDE, GAP] = [600, 24];

const config = defaults(trainFields);
const session = new Session(config, null);
for (let step = 0; step < STEPS; step++) session.step();
const setup = session.setup();
const frame = session.frame(0, true);
const { sample } = frame;
const classNames = classNamesOf(config.data);

const maps = completed(session.map("coarse") as Iterator<undefined, Float32Array>);
const map = mapAt(maps, config.timesteps, config.timesteps - 1);
session.dispose();

const rowsIn = (palette: Palette): Row[] =>
  sampleRows(
    {
      sample,
      inputTitle: inputTitleOf(config),
      threshold: config.threshold,
      surrogate: setup.surrogate,
      classNames,
      pin: { layer: 0, neuron: 0 },
      judgedByMaximum: true,
    },
    palette,
  );

const layoutOf = (width: number): StackLayout => new StackLayout(rowsIn(LIGHT), axisOf(sample), width);

export const poster: Poster = {
  heightFor: (width) => TOP + GAP + layoutOf(width).height,
  paint(pen, width, height, palette) {
    const beside = width < WIDE ? 0 : TOP + GAP;
    const { matrices } = frame.detail as Detail;
    const diagram = { sample, matrices, threshold: config.threshold, classNames };
    paintDiagram(pen, diagram, MOMENT, width - beside, TOP, palette);
    if (beside > 0) {
      const points = setup.points as Float32Array;
      paintMap(new PlacedPen(pen, width - TOP, 0), { map, points, labels: setup.labels, at: null }, TOP, palette);
    }
    const layout = layoutOf(width);
    paintStack(new PlacedPen(pen, 0, height - layout.height), rowsIn(palette), layout, palette);
  },
};
