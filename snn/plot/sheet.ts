/** Several charts as one picture, side by side. */
import { COUNT, numberOf, show, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";

/** Options of {@link sheet}. */
export interface SheetOptions {
  /** Number of charts in a row; default 2. */
  columns?: number;
  /** Title for screen readers; default none. */
  title?: string;
}

const DEFAULTS: Required<SheetOptions> = { columns: 2, title: "" };

const SIZES = /^<svg [^>]*?width="(\d+)" height="(\d+)"/;

/**
 * Combines charts of this module in one SVG text, in rows; each column is as wide and each row as high as its largest chart.
 *
 * @throws TypeError for anything but a list of SVG texts of this module, an unknown option or a value of the wrong type; RangeError without a chart,
 *   or unless `columns` is a positive integer.
 *
 * @example
 * ```ts
 * import { full, LIF } from "jarvis-snn";
 * import { rasterPlot, sheet, tracePlot } from "jarvis-snn/plot";
 *
 * const { spikes, membrane } = new LIF().unroll(full([60, 1, 1], 0.2));
 * const svg = sheet([await rasterPlot(spikes), await tracePlot(membrane)], { columns: 1 });
 * console.log(svg.slice(0, 4)); // <svg
 * ```
 */
export function sheet(charts: readonly string[], options: SheetOptions = DEFAULTS): string {
  const where = "sheet";
  const given = withDefaults(where, DEFAULTS, options);
  const columns = numberOf(where, "columns", given.columns, COUNT);
  if (!Array.isArray(charts)) throw wrongType(where, "charts as a list of SVG texts", charts);
  if (charts.length === 0) throw wrongValue(where, "at least one chart", "none");
  const all = charts.map((svg: unknown, i) => {
    const found = typeof svg === "string" ? SIZES.exec(svg) : null;
    if (found === null) throw wrongType(where, `chart ${i} as the SVG text of a chart`, show(svg));
    return { svg: svg as string, width: Number(found[1]), height: Number(found[2]) };
  });
  const widths = sizesOf(all.map(({ width }, i) => [i % columns, width]));
  const heights = sizesOf(all.map(({ height }, i) => [Math.floor(i / columns), height]));
  const parts = all.map(({ svg }, i) => {
    const [x, y] = [sum(widths.slice(0, i % columns)), sum(heights.slice(0, Math.floor(i / columns)))];
    // The sheet has a title; charts without one are hidden from screen readers.
    const hidden = svg.includes("<title>") ? "" : 'aria-hidden="true" ';
    return svg.replace("<svg ", `<svg x="${x}" y="${y}" ${hidden}`);
  });
  const size = `width="${sum(widths)}" height="${sum(heights)}"`;
  const title = given.title.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const name = title === "" ? "" : `<title>${title}</title>\n`;
  return `<svg role="img" ${size} xmlns="http://www.w3.org/2000/svg">\n${name}${parts.join("\n")}\n</svg>\n`;
}

function sizesOf(sizes: readonly (readonly [place: number, size: number])[]): number[] {
  const most: number[] = [];
  for (const [place, size] of sizes) most[place] = Math.max(most[place] ?? 0, size);
  return most;
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
