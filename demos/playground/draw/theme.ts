/** The colours of the page for what is drawn on canvases, from the style sheet. */

export interface Theme {
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
}

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    paper: color("paper"),
    ink: color("ink"),
    muted: color("muted"),
    line: color("line"),
    accent: color("accent"),
    excite: color("excite"),
    inhibit: color("inhibit"),
    input: color("input"),
    layers: [color("layer-1"), color("layer-2"), color("layer-3")],
    readout: color("readout"),
    classes: [color("class-0"), color("class-1")],
  };
}

/** The share of their heights that the style sheet leaves to rows over time. */
export const rowHeight = (): number =>
  Number(getComputedStyle(document.documentElement).getPropertyValue("--row-height") || 1);

/** Red, green and blue of #rrggbb. */
export function rgb(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function faded(color: string, alpha: number): string {
  return `rgba(${rgb(color).join(",")},${Number(alpha.toFixed(3))})`;
}
