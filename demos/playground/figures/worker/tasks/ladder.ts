/** The rungs of the ladder train the toy in turns: a turn belongs to the rung that has had the least time. */
import { Generator } from "jarvis-snn";
import { toyBatch } from "../../../../ladder/batches.ts";
import { B, TOY, type Training } from "../../../../ladder/rung.ts";
import { RUNGS } from "../../../../ladder/rungs.ts";
import { LADDER, type Words } from "../../../../ladder/words.ts";
import { emptyRace, type Lane, nextLane, RACING, type Race } from "../../ladder/model.ts";
import type { PictureParameters } from "../../pressed.ts";
import type { Send, Turns } from "../protocol.ts";

const SEED = 0;
const BATCHES = 8;
/** Milliseconds of a turn; a step of scalars takes longer. */
const TURN_MS = 20;
/** Steps whose losses are compared. */
const COMPARED = 1000;

interface Runner {
  readonly training: Training;
  /** The part of a step that one of its steps is. */
  readonly share: number;
  readonly batches: readonly ReturnType<typeof toyBatch>[];
  readonly losses: number[];
  taken: number;
}

function runnerOf(name: (typeof RACING)[number]): Runner {
  const { part } = LADDER.find((words) => words.name === name) as Words;
  const { rows = B, T = TOY.T } = part ?? {};
  const batches = Array.from({ length: BATCHES }, (_, i) => toyBatch(rows, new Generator(i)));
  const training = RUNGS[name].toy(SEED, { T });
  return { training, share: (rows / B) * (T / TOY.T), batches, losses: [], taken: 0 };
}

/** The rungs of this worker go on with what they have learned in a further race: none of them frees its memory. */
const runners = new Map<number, Runner>();

/** A turn of a rung: its steps, and the time that they took. */
function turn(runner: Runner): Lane {
  const start = performance.now();
  let steps = 0;
  do {
    const { x, y } = runner.batches[runner.taken % BATCHES] as ReturnType<typeof toyBatch>;
    const loss = runner.training.step(x, y);
    if (runner.losses.length < COMPARED) runner.losses.push(loss);
    runner.taken++;
    steps += runner.share;
  } while (performance.now() - start < TURN_MS);
  return { steps, ms: performance.now() - start };
}

/** How far the losses of the rungs from SIMD on are equal. */
function equalLosses(): Race["equal"] {
  const from = RACING.indexOf("simd");
  const all = RACING.slice(from).map((_, i) => runners.get(from + i)?.losses ?? []);
  const steps = Math.min(...all.map(({ length }) => length));
  const [first = []] = all;
  const differs = first.slice(0, steps).findIndex((loss, i) => all.some((losses) => !Object.is(losses[i], loss)));
  const equal = differs < 0 ? steps : differs;
  return equal === 0 ? null : { steps: equal, loss: first[equal - 1] as number };
}

export function* run({ pictureMs }: PictureParameters, send: Send<Race>): Turns {
  let race = emptyRace();
  let shown = performance.now();
  for (;;) {
    const i = nextLane(race);
    const runner = runners.get(i) ?? runnerOf(RACING[i] as (typeof RACING)[number]);
    runners.set(i, runner);
    const { steps, ms } = turn(runner);
    const lanes = race.lanes.map((lane, j) => (i === j ? { steps: lane.steps + steps, ms: lane.ms + ms } : lane));
    race = { ...race, lanes };
    if (performance.now() - shown >= pictureMs) {
      race = { ...race, equal: equalLosses() };
      send(race);
      shown = performance.now();
    }
    yield 0;
  }
}
