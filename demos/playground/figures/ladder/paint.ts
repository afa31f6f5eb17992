/** A lane for each rung, as long as it is fast: steps on a logarithmic axis. */
import { LADDER } from "../../../ladder/words.ts";
import { faded, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { RACING, type Race, stepMs, timesFaster } from "./model.ts";

const LANE = 40;
const TOP = 34;
const FOOT = 30;
/** Below this width every second power has its number. */
const NARROW = 480;
/** Powers of ten of the steps a second at the ends of the axis. */
const [FROM, TO] = [-2, 4];

export const raceHeight = (): number => TOP + RACING.length * LANE + FOOT;

/** Three digits, as few as say something: 0.0071, 8.4, 812. */
const short = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(2)));

export function paintRace(pen: Pen, race: Race, width: number, palette: Palette): void {
  const [left, right] = [26, width - 2];
  const bottom = TOP + RACING.length * LANE;
  const x = (perSecond: number): number => {
    const share = (Math.log10(perSecond) - FROM) / (TO - FROM);
    return left + Math.min(1, Math.max(0, share)) * (right - left);
  };
  const isNarrow = width < NARROW;
  for (let power = FROM; power <= TO; power++) {
    pen.boxes([x(10 ** power), TOP - 6, 1, bottom - TOP + 6], palette.line);
    if (isNarrow && power % 2 !== 0) continue;
    const align = power === TO ? "right" : power === FROM ? "left" : "center";
    const label = power < 0 ? String(10 ** power) : (10 ** power).toLocaleString("en");
    pen.text(x(10 ** power), bottom + 16, label, { color: palette.muted, align });
  }
  pen.text(left, 14, "steps a second", { color: palette.muted, bold: true });
  const heading = isNarrow ? "ms a step · times rung 1" : "milliseconds of a step · times faster than rung 1";
  pen.text(right, 14, heading, { color: palette.muted, align: "right" });
  const [first] = race.lanes;
  for (const [i, lane] of race.lanes.entries()) {
    const y = TOP + i * LANE;
    const { title = "" } = LADDER[i] ?? {};
    const ms = stepMs(lane);
    pen.text(left - 10, y + 14, String(i + 1), { color: palette.muted, align: "right" });
    pen.text(left, y + 14, title, { color: palette.ink });
    pen.boxes([left, y + 22, right - left, 1], palette.line);
    if (ms === null || first === undefined) continue;
    pen.boxes([left, y + 20, Math.max(2, x(1000 / ms) - left), 5], i === 0 ? faded(palette.ink, 0.5) : palette.accent);
    const faster = timesFaster(lane, first);
    const times = faster === null ? "" : ` · ${short(faster)} ×`;
    const more = LADDER[i]?.name === "scalars" ? " · multiplied" : times;
    pen.text(right, y + 14, `${short(ms)} ms${more}`, { color: palette.ink, align: "right" });
  }
}
