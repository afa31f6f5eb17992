/** Twenty patterns of one equation and eight of another, under one current that the reader draws. */
import { CanvasView } from "../../ui/canvas.ts";
import { Clicks } from "../../ui/clicks.ts";
import { button, element } from "../../ui/dom.ts";
import { addressIn } from "../../ui/site.ts";
import { Sweep } from "../../ui/sweep.ts";
import type { Mount } from "../figure.ts";
import { currentOf, rounded, termsOf } from "../terms.ts";
import { Drive } from "./drive.ts";
import { adExText, hashOf, izhikevichText } from "./equations.ts";
import {
  adExFamily,
  type Family,
  izhikevichFamily,
  LEVELS,
  levelsOf,
  type Pattern,
  type Response,
  shapes,
  titleOf,
} from "./model.ts";
import { columnsFor, Grid, PAGE, Pictures } from "./paint.ts";
import { A, B, Plane } from "./plane.ts";
import { FAMILIES, lengthOf } from "./texts.ts";

/** The page where a pattern opens as equations. */
const EQUATION = "equation/";

/** Seconds of a sweep. */
const SECONDS = 8;
/** Each pattern of a family has a tone of its own: that of the first, in hertz, and the ratio of one to the next. */
const [LOWEST, STEP] = [440, 2 ** (1 / 8)];

export const mount: Mount = (host, { still, state }) => {
  const linked = new URLSearchParams(state);
  const izhikevich = izhikevichFamily();
  const first = new FamilyView(izhikevich, FAMILIES[0], izhikevichText);
  const second = new FamilyView(adExFamily(), FAMILIES[1], adExText);
  const views = [first, second];
  let current: Float32Array | null = null;
  const run = (levels: Float32Array | null): void => {
    current = levels;
    for (const view of views) view.run(levels);
  };

  const drive = new Drive({
    onChange(levels) {
      press(null);
      run(levels === null ? null : rounded(levels));
    },
    onPlace(share) {
      if (share === null) sweep.release();
      else sweep.hold(share);
    },
  });
  const presets: HTMLButtonElement[] = [];
  const press = (pressed: HTMLElement | null): void => {
    for (const preset of presets) preset.setAttribute("aria-pressed", String(preset === pressed));
  };
  const addPreset = (name: string, levels: Float32Array | null): void => {
    const preset = button(name, () => {
      press(preset);
      drive.show(levels);
      run(levels);
    });
    presets.push(preset);
  };
  addPreset("Each its own", null);
  for (const shape of shapes) addPreset(shape, levelsOf(shape));
  press(presets[0] as HTMLButtonElement);

  const constants = izhikevich.patterns.map(constantsOf);
  const plane = new Plane(izhikevich.patterns.map(titleOf), constants, {
    onMove(index, a, b) {
      izhikevich.move(index, a, b);
      first.run(current);
      back.hidden = false;
    },
    onPick: (index) => first.mark(index),
  });
  const back = button("Put the dots back", () => {
    for (const [index, [a, b]] of constants.entries()) izhikevich.move(index, a, b);
    plane.show(constants);
    first.run(current);
    back.hidden = true;
  });
  back.hidden = true;
  const moved = parseDots(linked.get("dots") ?? "", constants.length);
  for (const [index, a, b] of moved) izhikevich.move(index, a, b);
  plane.show(izhikevich.patterns.map(constantsOf));
  back.hidden = moved.length === 0;

  const clicks = new Clicks();
  const sweep = new Sweep(SECONDS, still, () => {
    drive.sweep(sweep.share);
    for (const view of views) {
      for (const i of view.sweep(sweep.share)) clicks.click(LOWEST * STEP ** i);
    }
  });
  const controls = element(
    "div",
    { class: "row", role: "group", "aria-label": "Currents" },
    ...presets,
    back,
    clicks.button,
  );
  const left = element("div", { class: "zoo-current" }, drive.host, controls);
  host.append(element("div", { class: "zoo-top" }, left, plane.host), ...views.map(({ node }) => node));
  const levels = currentOf(linked.get("current") ?? "", LEVELS, LEVELS);
  if (levels !== null) {
    press(null);
    drive.show(levels);
  }
  run(levels);
  return {
    play: () => sweep.play(),
    rest: () => sweep.rest(),
    film: sweep.film,
    state() {
      const dots = izhikevich.patterns.flatMap((pattern, i) => {
        const own = constantsOf(pattern);
        return String(own) === String(constants[i]) ? [] : [[i, ...own].join("_")];
      });
      return [
        ...(current === null ? [] : [`current=${termsOf(current)}`]),
        ...(dots.length === 0 ? [] : [`dots=${dots.join("_")}`]),
      ].join("&");
    },
  };
};

/** Dots of a link that have other places, index, a and b of each; none where the text is something else. */
function parseDots(text: string, count: number): [index: number, a: number, b: number][] {
  const numbers = text === "" ? [] : text.split("_").map(Number);
  const dots = Array.from({ length: Math.floor(numbers.length / 3) }, (_, i) => numbers.slice(3 * i, 3 * i + 3));
  return (dots as [number, number, number][]).filter(
    ([index, a, b]) => Number.isInteger(index) && index >= 0 && index < count && on(A, a) && on(B, b),
  );
}

const on = ({ low, high }: typeof A, value: number): boolean => value >= low && value <= high;

const constantsOf = ({ numbers }: Pattern): readonly [number, number] => [numbers.a as number, numbers.b as number];

/** The pictures of a family, whose captions are links to their equations. */
class FamilyView {
  readonly node: HTMLElement;
  private readonly family: Family;
  private readonly textOf: (pattern: Pattern) => string;
  private readonly view: CanvasView;
  private readonly cells: HTMLElement;
  private readonly links: readonly HTMLAnchorElement[];
  private responses: Response[] = [];
  private pictures: Pictures | null = null;
  private width = 0;
  private share = 1;

  constructor(family: Family, title: string, textOf: (pattern: Pattern) => string) {
    this.family = family;
    this.textOf = textOf;
    this.links = family.patterns.map((pattern, index) => {
      const link = element(
        "a",
        { class: "zoo-cell", href: addressIn(EQUATION) },
        element("span", {}, titleOf(pattern)),
        element("small", {}, lengthOf(pattern)),
      );
      // An address is long: it is made when it may be needed, with the numbers and the current of then.
      for (const kind of ["pointerenter", "pointerdown", "focus"]) link.addEventListener(kind, () => this.refer(index));
      return link;
    });
    this.cells = element("div", { class: "zoo-cells" }, ...this.links);
    const host = element("div", { class: "host" });
    this.view = new CanvasView(
      host,
      {
        heightFor: (width) => this.grid(width).height,
        paint: (pen, width, _height, palette) => this.picturesFor(width).paint(pen, this.share, palette),
      },
      `${title}: membranes, spikes and currents`,
    );
    host.append(this.cells);
    this.node = element("section", { "aria-label": title }, element("p", { class: "zoo-family" }, title), host);
  }

  /** Runs all patterns under a drawn current, or each under its own. */
  run(levels: Float32Array | null): void {
    this.responses = this.family.run(levels);
    this.pictures = null;
    this.view.update();
  }

  /** Shows a time; returns the patterns that have fired since the time before. */
  sweep(share: number): number[] {
    const before = this.share;
    this.share = share;
    this.view.update();
    return this.responses.flatMap(({ spikes, membrane: { length } }, i) =>
      spikes.some((t) => t >= before * length && t < share * length) ? [i] : [],
    );
  }

  /** Marks a pattern, or none. */
  mark(index: number | null): void {
    for (const [i, link] of this.links.entries()) link.classList.toggle("marked", i === index);
  }

  /** Lets the link of a pattern lead to its equations as they are now. */
  private refer(index: number): void {
    const [pattern, response] = [this.family.patterns[index], this.responses[index]] as [Pattern, Response];
    const link = this.links[index] as HTMLAnchorElement;
    link.href = addressIn(EQUATION + hashOf(pattern, response, this.textOf));
  }

  private grid(width: number): Grid {
    return new Grid(this.family.patterns.length, columnsFor(width), width, PAGE);
  }

  /** The curves are laid out again for other responses and another width. */
  private picturesFor(width: number): Pictures {
    if (this.pictures === null || this.width !== width) {
      this.width = width;
      this.pictures = new Pictures(this.family, this.responses, this.grid(width));
      this.cells.style.setProperty("--columns", String(columnsFor(width)));
    }
    return this.pictures;
  }
}
