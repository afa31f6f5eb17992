/** Reading of event cameras' files, in millions of events a second and against a plain copy of the bytes of the file. */
import { readEvents, writeEvents } from "jarvis-snn/events";
import { type Contender, interleave } from "./support/interleave.ts";
import { type Rows, report } from "./support/report.ts";

const EVENTS = 4_000_000;
const [WIDTH, HEIGHT] = [1280, 720];
const ROUNDS = 15;

/** Events as edges of moving things make them: a few on a row at a time, half of the groups close together. */
function recording() {
  const t = new Float64Array(EVENTS);
  const x = new Uint16Array(EVENTS);
  const y = new Uint16Array(EVENTS);
  const p = new Uint8Array(EVENTS);
  let state = 1;
  const below = (limit: number): number => {
    state = (Math.imul(state, 0x5bd1e995) + 0x6d2b79f5) >>> 0;
    return Math.floor((((state ^ (state >>> 15)) >>> 0) / 2 ** 32) * limit);
  };
  let time = 0;
  for (let i = 0; i < EVENTS; ) {
    time += below(3) === 0 ? below(10) : 0;
    const row = below(HEIGHT);
    const on = below(2);
    const spread = below(2) === 0 ? 6 : 200;
    let column = below(WIDTH / 2);
    for (let k = 1 + below(8); k > 0 && i < EVENTS && column < WIDTH; k--, i++) {
      t[i] = time;
      x[i] = column;
      y[i] = row;
      p[i] = on;
      column += 1 + below(spread);
    }
  }
  return { t, x, y, p, width: WIDTH, height: HEIGHT };
}

const events = recording();
const files = { evt3: writeEvents(events, "evt3"), aedat4: writeEvents(events, "aedat4") };

const timed = (name: string, run: () => unknown): Contender => ({
  name,
  async measure() {
    const start = performance.now();
    await run();
    return performance.now() - start;
  },
});

const formats = Object.keys(files) as (keyof typeof files)[];
const contenders = formats.flatMap((format) => [
  timed(format, () => readEvents(files[format])),
  timed(`${format} copy`, () => files[format].slice()),
]);
const run = await interleave(contenders, ROUNDS);
const rows: Rows = {};
for (const format of formats) {
  const times = run.medians(format, `${format} copy`);
  rows[format] = { value: EVENTS / 1000 / (times[format] as number), times };
  rows[`${format}Copy`] = { value: run.ratio(`${format} copy`, format) };
}
report(rows);
