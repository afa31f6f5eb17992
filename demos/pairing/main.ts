/** npm run demo -- pairing: weights after pairings of spikes, over their frequency and their interval, by pairs and by triplets. */
import { Generator, randn } from "jarvis-snn";
import { drawingAt, HALF, pair } from "../drawing.ts";
import { bar, begin, end, line, table, text } from "../report.ts";
import { changeBy, type Pairing } from "./protocol.ts";
import { deviation, INTERVALS, type Interval, MEASURED, RULES } from "./rules.ts";

const flags = begin("pairing", {
  pairs: { kind: "integer", default: 60, min: 1, help: "pairings of a protocol" },
  frequency: { kind: "number", default: 1, help: "pairings in a second for the window" },
  jitter: { kind: "number", default: 0, help: "standard deviation of the time of a spike, in ms" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of the jitter" },
  svg: { kind: "text", default: "", help: "draw both tables there as curves (SVG, by the package echarts)" },
});

const { pairs } = flags;
const draw = await drawingAt(flags.svg);
const generator = new Generator(flags.seed);
const names = Object.keys(RULES);

/** Loads of the table, and loads of the curves. */
const FREQUENCIES = [...MEASURED.frequencies.slice(0, 3), 30, ...MEASURED.frequencies.slice(3)];
const ALL = flags.svg === "" ? FREQUENCIES : [0.1, ...Array.from({ length: 20 }, (_, i) => 2.5 * (i + 1))];
const TIMES = [80, 40, 20, 10, 5, 2, 1];
const WINDOW = [...TIMES.map((t) => -t), ...[...TIMES].reverse()];

const runs = names.flatMap((name) => [
  ...INTERVALS.flatMap((dt) => ALL.map((frequency): [string, Pairing] => [name, { frequency, dt, pairs }])),
  ...WINDOW.map((dt): [string, Pairing] => [name, { frequency: flags.frequency, dt, pairs }]),
]);
const key = (name: string, { frequency, dt }: Pairing): string => `${name} ${frequency} ${dt}`;
const changes = new Map<string, number>();
const draws = bar("pairing", runs.length);
for (const [i, [name, pairing]] of runs.entries()) {
  const late =
    flags.jitter > 0
      ? randn([2 * pairs], { generator })
          .mul(flags.jitter)
          .toFloat32Array()
      : [];
  changes.set(key(name, pairing), changeBy(RULES[name] as (typeof RULES)[string], pairing, late));
  draws(i + 1);
}
const changeOf = (name: string, frequency: number, dt: number): number =>
  changes.get(key(name, { frequency, dt, pairs })) as number;

const cell = (value: number | undefined): string => value?.toFixed(3) ?? "";

for (const dt of INTERVALS) {
  const { mean, error } = MEASURED.changes[dt];
  const measured = (values: readonly number[]) =>
    FREQUENCIES.map((frequency) => cell(values[MEASURED.frequencies.indexOf(frequency as 10)]));
  table([
    [`dt = ${dt} ms`, ...FREQUENCIES.map((frequency) => `${frequency} Hz`)],
    ["measured", ...measured(mean)],
    ["  standard error", ...measured(error)],
    ...names.map((name) => [name, ...FREQUENCIES.map((frequency) => cell(changeOf(name, frequency, dt)))]),
  ]);
  text("");
}
table([
  [`window at ${flags.frequency} Hz`, ...WINDOW.map((dt) => `${dt} ms`)],
  ...names.map((name) => [name, ...WINDOW.map((dt) => cell(changeOf(name, flags.frequency, dt)))]),
]);
text("");
for (const name of names) {
  const off = deviation((frequency, dt: Interval) => changeOf(name, frequency, dt));
  line({ rule: `"${name}"`, deviation_from_measured: off.toFixed(2) });
}

await draw("Weights after pairings of spikes", (plot) => {
  const measured = (dt: Interval) => ({ x: MEASURED.frequencies, y: MEASURED.changes[dt].mean });
  const shown = { pairs: "pairs, all", triplets: "triplets, all", nearest: "triplets, nearest" };
  const over = (dt: Interval) =>
    plot.curvePlot(
      {
        ...Object.fromEntries(
          Object.entries(shown).map(([label, name]) => [
            label,
            { x: ALL, y: ALL.map((frequency) => changeOf(name, frequency, dt)) },
          ]),
        ),
        measured: measured(dt),
      },
      { ...HALF, title: `dt = ${dt} ms`, xLabel: "pairings in a second", yLabel: "change of the weight" },
    );
  // A gap at 0.
  const half = WINDOW.length / 2;
  const x = [...WINDOW.slice(0, half), 0, ...WINDOW.slice(half)];
  const windowOf = (name: string) => ({
    x,
    y: x.map((dt) => (dt === 0 ? Number.NaN : changeOf(name, flags.frequency, dt))),
  });
  const windows = plot.curvePlot(
    Object.fromEntries(Object.entries(shown).map(([label, name]) => [label, windowOf(name)])),
    {
      ...{ width: 2 * HALF.width, height: HALF.height, points: true },
      ...{
        title: `dt from −80 to 80 ms, ${flags.frequency} in a second`,
        xLabel: "dt (ms)",
        yLabel: "change of the weight",
      },
    },
  );
  return [pair(plot, "Over the frequency", over(10), over(-10)), windows];
});
end({
  figure: deviation((frequency, dt: Interval) => changeOf("triplets, nearest", frequency, dt)),
  curve: {
    name: `change by nearest triplets from dt = ${WINDOW[0]} to ${WINDOW.at(-1)} ms, ${flags.frequency} in a second`,
    values: WINDOW.map((dt) => changeOf("triplets, nearest", flags.frequency, dt)),
  },
});
