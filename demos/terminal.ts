/** Text that fits the terminal: lines broken between words, tables in parts, charts as wide as the terminal. */

/** A stream that text is written to. */
interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Characters in a line of the stream; any number where it is no terminal. */
export const columnsOf = (stream: Stream = process.stdout): number =>
  stream.isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY;

/** The signs of a style. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the signs begin with ESC
const STYLE = /\x1b\[\d+m/g;

/** Characters of a text that are seen. */
const widthOf = (text: string): number => text.replace(STYLE, "").length;

/** Text that stands out, or back, unless NO_COLOR is set. */
const styled =
  (code: number) =>
  (words: string): string =>
    process.env.NO_COLOR ? words : `\x1b[${code}m${words}\x1b[0m`;
export const bold = styled(1);
export const dim = styled(2);

/**
 * Breaks long lines at spaces, but not at non-breaking ones, which are printed as spaces. A tab, which is not printed, marks the column at
 * which a line goes on after a break, in the first half of the terminal; without one it goes on at the first column.
 */
export const wrapped = (text: string, columns = columnsOf()): string =>
  text
    .split("\n")
    .map((line) => broken(line, columns))
    .join("\n")
    .replaceAll(GLUE, " ");

/** A non-breaking space. */
export const GLUE = "\u00a0";

function broken(line: string, columns: number): string {
  const tab = line.includes("\t") ? widthOf(line.slice(0, line.indexOf("\t"))) : 0;
  const hang = Math.min(tab, Math.floor(columns / 2));
  const words = line.replace("\t", "").split(" ");
  const lines = [words[0] as string];
  let used = widthOf(lines[0] as string);
  for (const word of words.slice(1)) {
    const width = 1 + widthOf(word);
    if (used + width <= columns) {
      lines.push(`${lines.pop()} ${word}`);
      used += width;
    } else if (word !== "") {
      lines.push(`${" ".repeat(hang)}${word}`);
      used = hang + width - 1;
    }
  }
  return lines.map((part) => part.trimEnd()).join("\n");
}

/** Spaces between the columns of a table. */
const BETWEEN = 2;

/**
 * A table: the first column at the left, numbers at the right of theirs. A table that is too wide comes in parts below each other, with
 * about as many columns in each and the first column before them.
 */
export function tableText(rows: readonly (readonly string[])[], columns = columnsOf()): string {
  const [first = 0, ...widths] = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((row) => (row[i] as string).length)),
  );
  /** Columns from one on until another. */
  const part = (from: number, to: number): string[] =>
    rows.map(([name = "", ...cells]) => {
      const shown = cells.slice(from, to).map((cell, i) => cell.padStart(BETWEEN + (widths[from + i] as number)));
      return `${name.padEnd(first)}${shown.join("")}`;
    });
  for (let count = 1; ; count++) {
    const size = Math.ceil(widths.length / count);
    const parts = Array.from({ length: Math.ceil(widths.length / size) }, (_, i) => part(i * size, (i + 1) * size));
    if (size > 1 && parts.some(([head = ""]) => head.length > columns)) continue;
    return parts.map((lines) => lines.map((line) => line.trimEnd()).join("\n")).join("\n\n");
  }
}

/** Columns of a chart at most: wider ones are no easier to read. */
const WIDEST = 100;

/** A chart as wide as the terminal. `draw` gets the columns without those of the frame, whose labels depend on it. */
export function chartText(draw: (width: number) => string, columns = columnsOf()): string {
  const most = Math.min(WIDEST, columns);
  for (let width = most; ; ) {
    const text = draw(width);
    const excess = Math.max(...text.split("\n").map((line) => line.length)) - most;
    if (excess <= 0 || width === 1) return text;
    width = Math.max(1, width - excess);
  }
}
