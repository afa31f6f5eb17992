/**
 * Charts as SVG text, drawn by the optional peer dependency echarts, which needs no document. In Node the text depends only on the data; in a
 * page, echarts measures and places labels with the available fonts.
 *
 * A chart uses a few colours. A style sheet in the SVG replaces them if the reader prefers a dark scheme.
 */
import { COUNT, choiceOf, numberOf } from "../../engine/arguments.ts";
import { hashOf } from "./hash.ts";

/** Appearance of a chart. */
export interface ChartOptions {
  /** Title above the chart; default none. */
  title?: string;
  /** Width in pixels; default 720. */
  width?: number;
  /** Height in pixels; by default that of the panels. */
  height?: number;
  /** "light", "dark", or "auto" (default): dark if the reader prefers it. */
  theme?: "light" | "dark" | "auto";
}

export const CHART = {
  title: "",
  width: 720,
  height: undefined as number | undefined,
  theme: "auto" as NonNullable<ChartOptions["theme"]>,
} satisfies Record<keyof ChartOptions, unknown>;

/** A panel of a chart: axes with the series between them. */
export interface Panel {
  /** Height of the drawn area, in pixels. */
  readonly height: number;
  /** Heading above the panel, at its left. */
  readonly heading?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly object[];
  /** Names of series in the legend. */
  readonly legend?: readonly string[];
}

/** An axis: its label, and options of echarts. */
interface Axis {
  readonly label: string;
  readonly axisLabel?: object;
  readonly [option: string]: unknown;
}

/** A colour on a light and on a dark background. */
interface Colour {
  readonly light: string;
  readonly dark: string;
}

const GROUND: Colour = { light: "#ffffff", dark: "#0d1117" };
const INK: Colour = { light: "#1f2328", dark: "#e6edf3" };
const FAINT: Colour = { light: "#59636e", dark: "#9198a1" };
const GRID: Colour = { light: "#e6e8eb", dark: "#2a313c" };
/** Colours that colour-blind readers can distinguish. */
const SERIES: readonly Colour[] = [
  { light: "#0969da", dark: "#58a6ff" },
  { light: "#bc4c00", dark: "#f0883e" },
  { light: "#1a7f37", dark: "#3fb950" },
  { light: "#8250df", dark: "#bc8cff" },
  { light: "#9a6700", dark: "#d8a72b" },
  { light: "#bf3989", dark: "#f778ba" },
  { light: "#0a7c8c", dark: "#39c5cf" },
  { light: "#57606a", dark: "#8b949e" },
  { light: "#0a3069", dark: "#a5d6ff" },
  { light: "#7a8500", dark: "#c9d14a" },
];
/** Colour of thresholds and other marks. */
const MARK: Colour = { light: "#cf222e", dark: "#ff7b72" };

/** Colour of the series of an index. */
export const colourOf = (index: number): string => (SERIES[index % SERIES.length] as Colour).light;
export const markColour = MARK.light;

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const LEFT = 76;
const RIGHT = 24;
/** Height of the x-axis label and ticks, in pixels. */
const BELOW = 52;
const HEADING = 26;

/**
 * Draws a chart as SVG text.
 *
 * @throws Error if the peer dependency is missing.
 */
export async function svgOf(where: string, panels: readonly Panel[], options: typeof CHART): Promise<string> {
  const { title, theme } = options;
  const width = numberOf(where, "width", options.width, COUNT);
  choiceOf(where, "theme", theme, ["light", "dark", "auto"]);
  const top = title === "" ? 14 : 46;
  const own = panels.map(({ height, heading, legend }) => height + BELOW + (heading || legend ? HEADING : 0));
  const natural = top + own.reduce((sum, height) => sum + height, 0);
  const height = options.height === undefined ? natural : numberOf(where, "height", options.height, COUNT);
  const stretch = Math.max(0.2, 1 + (height - natural) / panels.reduce((sum, panel) => sum + panel.height, 0));
  const option = optionOf(title, top, stretch, panels);
  const { chartOf } = await peer();
  const chart = chartOf(width, height);
  try {
    chart.setOption(option);
    return finished(chart.renderToSVGString(), title, theme);
  } finally {
    chart.dispose();
  }
}

/** Options of echarts for panels below each other from `top` on, with their heights times `stretch`. */
function optionOf(title: string, top: number, stretch: number, panels: readonly Panel[]): Record<string, unknown> {
  let next = top;
  const tops = panels.map((panel) => {
    const y = next + (panel.heading || panel.legend ? HEADING : 0);
    next = y + panel.height * stretch + BELOW;
    return y;
  });
  return {
    animation: false,
    backgroundColor: GROUND.light,
    textStyle: { fontFamily: FONT, color: INK.light },
    title: [
      { text: title, left: LEFT - 8, top: 12, textStyle: { fontSize: 17, fontWeight: 600, color: INK.light } },
      ...panels.map(({ heading = "" }, i) => ({
        text: heading,
        left: LEFT - 8,
        top: (tops[i] as number) - HEADING,
        textStyle: { fontSize: 13, fontWeight: 600, color: INK.light },
      })),
    ],
    legend: panels.flatMap(({ legend }, i) =>
      legend === undefined
        ? []
        : [
            {
              data: legend,
              // Without a font the width of text is only estimated; trailing spaces compensate.
              formatter: (name: string) => name + "\u00a0".repeat(Math.ceil(0.12 * name.length)),
              icon: "roundRect",
              itemGap: 14,
              right: RIGHT,
              top: (tops[i] as number) - HEADING - 2,
              itemWidth: 16,
              itemHeight: 4,
              textStyle: { color: INK.light, fontSize: 12 },
              selectedMode: false,
            },
          ],
    ),
    grid: panels.map(({ height: h }, i) => ({ left: LEFT, right: RIGHT, top: tops[i], height: h * stretch })),
    xAxis: panels.map(({ x }, i) => axis(x, i, { nameGap: 30, splitLine: { show: false } })),
    yAxis: panels.map(({ y: vertical }, i) => axis(vertical, i, { nameGap: 52 })),
    series: panels.flatMap(({ series }, i) =>
      series.map((each) => ({ ...each, silent: true, xAxisIndex: i, yAxisIndex: i })),
    ),
  };
}

const axis = ({ label, axisLabel, ...given }: Axis, gridIndex: number, usual: object): object => ({
  type: "value",
  gridIndex,
  name: label,
  nameLocation: "middle",
  nameTextStyle: { color: INK.light, fontSize: 13 },
  axisLine: { show: true, onZero: false, lineStyle: { color: FAINT.light } },
  axisTick: { show: true, lineStyle: { color: FAINT.light } },
  axisLabel: { color: FAINT.light, fontSize: 12, hideOverlap: true, formatter: plainly, ...axisLabel },
  splitLine: { lineStyle: { color: GRID.light } },
  ...usual,
  ...given,
});

/** A number without grouped digits, with a minus sign; names are returned unchanged. */
const plainly = (value: number | string): string =>
  typeof value === "string" ? value : String(+value.toPrecision(6)).replace("-", "−");

/** Loads the module that draws. */
async function peer(): Promise<typeof import("./peer.ts")> {
  try {
    return await import("./peer.ts");
  } catch (cause) {
    throw new Error(
      "jarvis-snn/plot: expected the package echarts, which draws, got none that can be loaded; install it: npm install echarts",
      { cause },
    );
  }
}

/** Removes interactive markup, and adds stable ids, a title and theme colours. */
function finished(drawn: string, title: string, theme: "light" | "dark" | "auto"): string {
  const plain = drawn
    .replace(/<style[\s\S]*?<\/style>\n?/g, "")
    .replace(/<path [^>]*fill-opacity="0"[^>]*stroke-width="0"[^>]*><\/path>\n?/g, "")
    .replace(/ (class="zr\d+-cls-\d+"|ecmeta_\w+="[^"]*"|pointer-events="visible")/g, "")
    .replace(/zr\d+-/g, "zr-");
  const id = `chart-${hashOf(plain)}`;
  const rules = [GROUND, INK, FAINT, GRID, MARK, ...SERIES].flatMap(({ light, dark }) =>
    ["fill", "stroke"]
      .filter((name) => plain.includes(`${name}="${light}"`))
      .map((name) => `#${id} [${name}="${light}"]{${name}:${dark}}`),
  );
  const style =
    theme === "light"
      ? ""
      : `<style>${theme === "dark" ? rules.join("") : `@media (prefers-color-scheme: dark){${rules.join("")}}`}</style>\n`;
  const name = title === "" ? "" : `<title>${escaped(title)}</title>\n`;
  return plain
    .replaceAll("zr-", `${id}-`)
    .replace(/^<svg /, `<svg id="${id}" role="img" `)
    .replace(/(?<=^<svg[^>]*>)\n?/, `\n${name}${style}`);
}

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
