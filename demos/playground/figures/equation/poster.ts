/** The still picture of the figure: equations, and what they do. */
import { surrogate } from "jarvis-snn/core";
import { LIGHT, type Palette } from "../../draw/palette.ts";
import { type Pen, PlacedPen } from "../../draw/pen.ts";
import { paintStack, StackLayout } from "../../draw/stack.ts";
import type { Poster } from "../figure.ts";
import { parse } from "./language.ts";
import { TypedNeuron } from "./model.ts";
import { axisOf, currentRange, paintCurve, paintPlane, rowsOf } from "./paint.ts";
import { BEGIN, CURSOR } from "./presets.ts";
import { colorOf, Roles } from "./roles.ts";
import { type Scene, sceneOf } from "./scene.ts";

/** The height of a line of the text, and of the pictures below the rows. */
const LINE = 22;
const PICTURE = 200;
/** The width of the text beside the rows, and the width of the whole from which on it stands there. */
const TEXT = 190;
const BESIDE = 600;
const GAP = 16;

/** The scene with which the figure begins. */
function begun(): Scene {
  const typed = new TypedNeuron(parse(BEGIN.text), surrogate.triangular({ width: BEGIN.width }));
  try {
    return sceneOf(typed, BEGIN.current, CURSOR);
  } finally {
    typed.dispose();
  }
}

function rows(scene: Scene, width: number, palette: Palette) {
  const roles = new Roles();
  roles.assign(scene.equations);
  const isNarrow = width < BESIDE;
  const list = rowsOf(scene, currentRange(scene.current), roles, palette, isNarrow);
  const layout = new StackLayout(list, axisOf(scene.current.length), isNarrow ? width : width - TEXT);
  return { roles, isNarrow, list, layout, textHeight: LINE * BEGIN.text.split("\n").length };
}

export const poster: Poster = {
  heightFor(width) {
    const { isNarrow, layout, textHeight } = rows(begun(), width, LIGHT);
    const above = isNarrow ? layout.height + GAP + textHeight : Math.max(layout.height, textHeight);
    return above + GAP + (isNarrow ? 2 : 1) * PICTURE;
  },
  paint(pen, width, height, palette) {
    const scene = begun();
    const { roles, isNarrow, list, layout } = rows(scene, width, palette);
    paintStack(new PlacedPen(pen, isNarrow ? 0 : TEXT, 0), list, layout, palette);
    paintText(new PlacedPen(pen, 0, isNarrow ? layout.height + GAP : 24), roles, palette);
    if (isNarrow) {
      paintPlane(new PlacedPen(pen, 0, height - 2 * PICTURE), scene, roles, palette, width, PICTURE);
      paintCurve(new PlacedPen(pen, 0, height - PICTURE), scene, palette, width, PICTURE);
      return;
    }
    const wide = Math.round(0.57 * width);
    paintPlane(new PlacedPen(pen, 0, height - PICTURE), scene, roles, palette, wide, PICTURE);
    paintCurve(new PlacedPen(pen, wide + GAP, height - PICTURE), scene, palette, width - wide - GAP, PICTURE);
  },
};

/** The equations, their signs = below each other. */
function paintText(pen: Pen, roles: Roles, palette: Palette): void {
  for (const [i, line] of BEGIN.text.split("\n").entries()) {
    const [name = "", value = ""] = line.split(" = ");
    const y = LINE * i + 14;
    const color = colorOf(roles.of(name.replace("′", "")), palette);
    pen.text(24, y, name, { color, size: 15, bold: true, align: "right" });
    pen.text(32, y, `= ${value}`, { color: palette.ink, size: 15 });
  }
}
