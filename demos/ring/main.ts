/** npm run demo -- ring: a bump of spikes that stays, turns with an input, and moves to a cue. */
import { Generator, type Tensor } from "jarvis-snn";
import { normal } from "../attractor.ts";
import { drawingAt, HALF, pair, SVG, sampleRaster } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { bar, begin, end, line, note } from "../report.ts";
import { Bump, story } from "./bump.ts";
import { DoubleRing, NOISE, type Path, TIMES_MS, type Trial, WINDOW_MS } from "./network.ts";
import { cued, DISTURBANCES, disturbed, keeping, keptOf, lineOf, meanOf, missOf, speedOf, turning } from "./trials.ts";

const flags = begin("ring", {
  neurons: { kind: "integer", default: 256, min: 8, help: "neurons of each of the two rings" },
  noise: { kind: "number", default: NOISE, help: "standard deviation of the noise in the currents, in thresholds" },
  starts: { kind: "integer", default: 16, min: 1, help: "directions at which a bump is left to itself" },
  delay: { kind: "integer", default: 2000, min: WINDOW_MS, help: "ms for which a bump is left to itself" },
  angle: { kind: "number", default: 40, min: -360, help: "direction in degrees of the bump of the site's figure" },
  push: { kind: "number", default: 0, min: -10, help: "input v that turns this bump" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of the noise" },
  svg: { ...SVG, help: "draw spikes, directions and speeds there (SVG, by the package echarts)" },
});

/** Inputs v that turn the bump. */
const VELOCITIES = [-0.8, -0.4, -0.2, 0.2, 0.4, 0.8];
/** Bumps that are turned by each input, from directions of their own. */
const EACH = 4;
/** Degrees from the first cue to the second one. */
const SHIFTS = [45, 90, 135, -60, 180];

/** Neurons of a raster. */
const SHOWN = 32;

const draw = await drawingAt(flags.svg);
const started = performance.now();
const ring = new DoubleRing(flags.neurons, flags.noise, normal(new Generator(flags.seed)));
const trials = { kept: keeping(flags.starts), turned: turning(VELOCITIES, EACH), cued: cued(SHIFTS) };
const all = Object.values(trials).flat();
const lastMs = Math.max(flags.delay, 2000) + TIMES_MS.cue + WINDOW_MS;
const stride = Math.ceil(flags.neurons / SHOWN);
const draws = bar("windows", Math.floor(lastMs / WINDOW_MS));
const { paths, spikes } = ring.run(all, lastMs, {
  shown: [Math.floor(flags.starts / 2), all.length - SHIFTS.length + 1],
  stride,
  onWindow: (done) => draws(done),
});
const seconds = (performance.now() - started) / 1000;
const firstTurned = trials.kept.length;
const firstCued = firstTurned + trials.turned.length;
const pathAt = (i: number) => paths[i] as Path;
line({ neurons: 2 * flags.neurons, trials: all.length, simulated_ms: lastMs, noise: flags.noise });

// The bump is left to itself.
note(
  "keep: a bump from a start, its drift and farthest place in degrees; length is 1 where all spikes have one direction",
);
const kept = trials.kept.map((trial, i) => keptOf(pathAt(i), trial, flags.delay));
for (const [i, { drift, excursion, length }] of kept.entries()) {
  const start = (trials.kept[i] as Trial).start.toFixed(1);
  const degrees = { start, drift: drift.toFixed(1), farthest: excursion.toFixed(1) };
  line({ ...degrees, length: length.toFixed(2) }, "keep");
}
const drifts = kept.map(({ drift }) => Math.abs(drift));
const [mean, most] = [meanOf(drifts), Math.max(...drifts)];

// The bump is turned.
note("turn: bumps under an input, and their speed");
const speeds = VELOCITIES.map((v, i) => {
  const each = Array.from({ length: EACH }, (_, j) => speedOf(pathAt(firstTurned + EACH * i + j)));
  const speed = meanOf(each);
  const range = `${Math.min(...each).toFixed(0)}…${Math.max(...each).toFixed(0)}`;
  line({ input: v, degrees_per_s: speed.toFixed(1), range, per_input: (speed / v).toFixed(0) }, "turn");
  return speed;
});
const { slope, r2 } = lineOf(VELOCITIES, speeds);

// The bump is called to another direction.
note("cue: bumps that a second cue calls, and the degrees by which they miss it");
const misses = trials.cued.map((trial, i) => {
  const miss = missOf(pathAt(firstCued + i), trial);
  line({ shift: SHIFTS[i] as number, miss: miss.toFixed(1) }, "cue");
  return Math.abs(miss);
});

// Bumps are disturbed for 50 ms.
note("disturb: bumps whose direction 500 ms later is within 30 degrees of the cue; a sixth of them by chance");
for (const by of DISTURBANCES) {
  const { neurons: size, starts: count, seed, noise } = flags;
  const turns = disturbed(by, { size, count, seed, noise });
  line({ by, kept: turns.filter((turn) => Math.abs(turn) <= 30).length, of: turns.length }, "disturb");
}

// The figure of the site.
const bump = story(new Bump(flags.neurons, flags.seed, flags.noise), { angle: flags.angle, push: flags.push });
line({ direction: (bump.direction ?? Number.NaN).toFixed(1), hash: bump.hash.toString(16).padStart(8, "0") }, "figure");

line({
  drift_mean: mean.toFixed(2),
  drift_max: most.toFixed(2),
  degrees_per_s_per_input: slope.toFixed(1),
  r2: r2.toFixed(4),
  miss_max: Math.max(...misses).toFixed(1),
  run_s: seconds.toFixed(1),
});

await draw(DEMOS.ring.title, (plot) => {
  const x = pathAt(0).angles.map((_, w) => (w + 0.5) * WINDOW_MS);
  /** Directions over time of the trials with these indices, by name. */
  const directions = (title: string, entries: readonly (readonly [name: string, trial: number])[]) => {
    const curves = entries.map(([name, trial]) => [name, { x, y: pathAt(trial).angles }]);
    const axes = { xLabel: "time (ms)", yLabel: "direction (degrees)" };
    return plot.curvePlot(Object.fromEntries(curves), { ...HALF, title, ...axes });
  };
  const raster = (i: number, title: string) =>
    sampleRaster(plot, { [`first ring, one in ${stride}`]: spikes[i] as Tensor }, { title, dtMs: 1 });
  const every = Math.ceil(flags.starts / 4);
  const some = trials.kept
    .map(({ start }, i) => [`${start.toFixed(0)}°`, i] as const)
    .filter(([, i]) => i % every === 0);
  const line = VELOCITIES.map((v) => slope * v);
  const { cue, input, target } = TIMES_MS;
  return [
    raster(0, `A cue until ${cue} ms, and a bump that is left to itself`),
    raster(1, `A second cue from ${input} to ${target} ms, ${SHIFTS[1]}° farther`),
    pair(
      plot,
      "Directions without a further input, and with a second cue",
      directions("Left to themselves, by the cue", some),
      directions(
        "A second cue, by its distance",
        SHIFTS.map((shift, i) => [`${shift}°`, firstCued + i]),
      ),
    ),
    pair(
      plot,
      "Directions under an input that turns the bump, and speeds",
      directions(
        "Turned, by the input v",
        VELOCITIES.map((v, i) => [`${v}`, firstTurned + EACH * i]),
      ),
      plot.curvePlot(
        { bumps: { x: VELOCITIES, y: speeds }, "straight line": { x: VELOCITIES, y: line } },
        { ...HALF, title: "Speed", xLabel: "input v (thresholds)", yLabel: "degrees per second", points: true },
      ),
    ),
  ];
});
end({
  figure: mean,
  raster: {
    name: "spikes of a bump that a second cue moves, neurons by their direction",
    spikes: () => spikes[1] as Tensor,
  },
});
