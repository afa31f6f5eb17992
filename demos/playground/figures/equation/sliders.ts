/** A slider for each number of a neuron, with the derivative of the membrane by it. */
import { element } from "../../ui/dom.ts";
import { type Slider, slider } from "../slider.ts";
import { type Equations, written } from "./language.ts";
import type { Range } from "./model.ts";

const STEPS = 1000;

interface Line {
  readonly slider: Slider;
  readonly slope: HTMLElement;
}

export class Sliders {
  readonly node = element("div", { class: "numbers", role: "group", "aria-label": "Numbers" });
  private lines = new Map<string, Line>();
  private parameters: Equations["parameters"] = new Map();
  private ranges = new Map<string, Range>();
  private readonly onSlide: (name: string, value: number) => void;

  constructor(onSlide: (name: string, value: number) => void) {
    this.onSlide = onSlide;
  }

  /** Shows the numbers, and the derivatives of the membrane by them. */
  show({ parameters, membrane }: Equations, slopes: ReadonlyMap<string, number>): void {
    this.parameters = parameters;
    const names = [...parameters.keys()];
    if (names.join() !== [...this.lines.keys()].join()) this.make(names);
    for (const [name, { value }] of parameters) {
      const { slider, slope } = this.lines.get(name) as Line;
      const [low, high] = this.rangeOf(name, value);
      slider.set(Math.round((STEPS * (value - low)) / (high - low)));
      const size = slopes.get(name) ?? 0;
      const sign = size > 0 ? "▲" : size < 0 ? "▼" : "";
      slope.className = size > 0 ? "rises" : size < 0 ? "falls" : "";
      slope.textContent = Number.isFinite(size) ? `${sign} ${short(Math.abs(size))}` : "–";
      slope.title = `∂${membrane}/∂${name}`;
    }
  }

  /** Ranges are found anew, as for another neuron. */
  forget(): void {
    this.ranges = new Map();
  }

  private make(names: readonly string[]): void {
    this.lines = new Map(
      names.map((name) => {
        const show = (): string => written(this.parameters.get(name)?.value ?? 0);
        const made = slider({ label: name, min: 0, max: STEPS, step: 1, show }, 0, (place) => {
          const [low, high] = this.ranges.get(name) as Range;
          this.onSlide(name, low + ((high - low) * place) / STEPS);
        });
        return [name, { slider: made, slope: element("span") }];
      }),
    );
    this.node.replaceChildren(...[...this.lines.values()].flatMap(({ slider, slope }) => [slider.node, slope]));
  }

  /** The range of a slider stays while its number lies in it. */
  private rangeOf(name: string, value: number): Range {
    const known = this.ranges.get(name);
    if (known !== undefined && value >= known[0] && value <= known[1]) return known;
    const usual: Range = value >= 0 && value <= 1 ? [0, 1] : value > 0 ? [0, 2 * value] : [2 * value, 0];
    this.ranges.set(name, usual);
    return usual;
  }
}

/** Two digits that matter, and powers of ten where the number is far from 1. */
const short = (size: number): string =>
  size !== 0 && (size >= 1e4 || size < 1e-3)
    ? size.toExponential(1).replace("e+", "e")
    : written(Number(size.toPrecision(2)));
