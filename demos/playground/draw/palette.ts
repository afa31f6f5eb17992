/**
 * The colours of the site, for its style sheet, its figures and their posters. Quantities own colours: whatever draws a potential draws it
 * in blue, so that a symbol of an equation, a line of a trace and an axis of a plane are recognised as one thing.
 */
export interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly excite: string;
  readonly inhibit: string;
  readonly input: string;
  /** One hue a layer. */
  readonly layers: readonly string[];
  readonly readout: string;
  /** The two classes of points. */
  readonly classes: readonly [string, string];
  /** A ground for what lies on the page: code, fields. */
  readonly raised: string;
  readonly link: string;
  /** I, the input of a neuron. */
  readonly current: string;
  /** v or u, the first state. */
  readonly membrane: string;
  /** The second state: recovery, adaptation, a synapse. */
  readonly second: string;
  readonly third: string;
  /** A gradient that raises, and one that lowers. */
  readonly up: string;
  readonly down: string;
  /** Words of code. */
  readonly keyword: string;
  readonly string: string;
  readonly number: string;
}

export const LIGHT: Palette = {
  paper: "#fbfaf7",
  raised: "#f3f1ea",
  ink: "#1d1f24",
  muted: "#5f646e",
  line: "#dedbd3",
  accent: "#b8431a",
  link: "#1d4f86",
  current: "#6b6f78",
  membrane: "#1769aa",
  second: "#00795c",
  third: "#8a2f78",
  up: "#b3261e",
  down: "#2f6f9f",
  excite: "#a80d45",
  inhibit: "#1c4a57",
  input: "#5a606b",
  layers: ["#1769aa", "#00795c", "#8a2f78"],
  readout: "#5f646e",
  classes: ["#8a5a00", "#5b4bb5"],
  keyword: "#7a2f6b",
  string: "#00664d",
  number: "#8a4b00",
};

export const DARK: Palette = {
  paper: "#131417",
  raised: "#1c1e23",
  ink: "#e9e6df",
  muted: "#9ba0aa",
  line: "#2e3138",
  accent: "#f08a5d",
  link: "#8abdf0",
  current: "#a3a8b2",
  membrane: "#5fb0f2",
  second: "#3fc79d",
  third: "#e08acb",
  up: "#f2887e",
  down: "#6db3e8",
  excite: "#ff4f81",
  inhibit: "#7fe3f0",
  input: "#a5abb6",
  layers: ["#5fb0f2", "#3fc79d", "#e08acb"],
  readout: "#9ba0aa",
  classes: ["#e0ac4d", "#a99bf5"],
  keyword: "#e08acb",
  string: "#5fcfa8",
  number: "#e0ac4d",
};

const variables = (palette: Palette): string =>
  Object.entries(palette)
    .flatMap(([name, value]: [string, string | readonly string[]]) => {
      if (typeof value === "string") return [`--${name}: ${value};`];
      // Classes are counted from 0, layers from 1.
      return name === "classes"
        ? value.map((color, i) => `--class-${i}: ${color};`)
        : value.map((color, i) => `--layer-${i + 1}: ${color};`);
    })
    .join(" ");

/** Both palettes as variables of the style sheet: what the reader chose goes before what the system says. */
export const paletteStyle = (): string =>
  `:root { color-scheme: light; ${variables(LIGHT)} }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { color-scheme: dark; ${variables(DARK)} } }
[data-theme="dark"] { color-scheme: dark; ${variables(DARK)} }
`;

/** The palette that the page shows. */
export function currentPalette(): Palette {
  const { theme } = document.documentElement.dataset;
  const isDark = theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
  return isDark ? DARK : LIGHT;
}

/** Red, green and blue of #rrggbb. */
export function rgb(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function faded(color: string, alpha: number): string {
  return `rgba(${rgb(color).join(",")},${Number(alpha.toFixed(3))})`;
}
