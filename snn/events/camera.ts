/** A simulated event camera: frames of brightness → a recording of events. */
import {
  allOptions,
  FINITE,
  listOf,
  NOT_NEGATIVE,
  numberOf,
  numbersOf,
  POSITIVE,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import { alive, generatorOf } from "../../engine/extend.ts";
import { type Generator, noGrad, rand, randn, Tensor } from "../../engine/index.ts";
import { defaultGenerator } from "../../engine/protocol.ts";
import { formatShape } from "../../engine/shape.ts";
import { EventColumns, type EventRecording } from "./recording.ts";

/** Options of {@link eventsFromFrames}. */
export interface CameraOptions {
  /** C⁺, the rise of log intensity that triggers an ON event; finite and > 0, default 0.2. */
  onThreshold?: number;
  /** C⁻, the fall that triggers an OFF event; finite and > 0, default 0.2. */
  offThreshold?: number;
  /** σ, the standard deviation of thresholds over pixels; finite and ≥ 0, default 0. Thresholds are at least 0.01. */
  mismatch?: number;
  /** Microseconds after an event in which its pixel is silent; finite and ≥ 0, default 0. */
  refractoryPeriod?: number;
  /** ON events per second of a pixel without change, whose reference leaks; finite and ≥ 0, default 0. */
  leakRate?: number;
  /** Noise events per second of a dark pixel, half of them ON; a pixel of intensity 1 has a quarter of it. Finite and ≥ 0, default 0. */
  shotNoiseRate?: number;
  /** ε, added to intensities before the logarithm; finite and > 0, default 0.001. */
  logOffset?: number;
  /** Source of mismatch and noise; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS: Required<CameraOptions> = {
  onThreshold: 0.2,
  offThreshold: 0.2,
  mismatch: 0,
  refractoryPeriod: 0,
  leakRate: 0,
  shotNoiseRate: 0,
  logOffset: 0.001,
  generator: defaultGenerator,
};

const LEAST_THRESHOLD = 0.01;
/** Share of the noise that an intensity of 1 removes. */
const QUIETER = 0.75;
/** Most events of a pixel between two frames; more would take minutes. */
const MOST = 2 ** 16;
/** Number of values whose logarithms are taken at once. */
const AT_ONCE = 2 ** 20;

/**
 * Simulates an event camera that looks at these frames: a pixel emits an event each time its log intensity has changed by a threshold.
 *
 *   L = ln(I + ε), linear between two frames      d = L − R      R(0) = L(0),  dR/dt = −leakRate·C⁺
 *   d = C⁺:  ON event,  R ← R + C⁺           d = −C⁻:  OFF event,  R ← R − C⁻
 *
 * Crossing times are exact within a frame interval and rounded down to microseconds; events of one microsecond are in the order of pixels. Thresholds
 * are C + σ·𝒩(0, 1), drawn once for each pixel. An event within the refractory period is dropped, but still changes R. Noise events have the rate
 * shotNoiseRate·(1 − ¾·min(I, 1)), at most one in each frame interval, and do not change R. A seed gives the same bits on every JavaScript engine.
 *
 * Shapes: frames [F, H, W], intensities ≥ 0, 1 for white; `timestamps` F times in µs, ascending.
 *
 * @throws RangeError for frames of other shapes or sides beyond 65 536, intensities that are negative or not finite, a wrong number of timestamps,
 *   times that do not ascend or lie too far apart to be ordered, or an option out of range; TypeError for frames that are not a tensor, an unknown
 *   option or a value of the wrong type.
 * @see Rebecq, Gehrig and Scaramuzza (2018), ESIM: an Open Event Camera Simulator, CoRL; Hu, Liu and Delbruck (2021), v2e: From Video Frames
 *   to Realistic DVS Events, CVPR Workshops.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 * import { eventsFromFrames } from "jarvis-snn/events";
 *
 * // One pixel: dark, bright after 10 ms, dark again after 20 ms.
 * const frames = tensor([0.1, 0.9, 0.1], { shape: [3, 1, 1] });
 * const { t, p } = eventsFromFrames(frames, [0, 10_000, 20_000], { onThreshold: 0.7, offThreshold: 1.2 });
 * console.log([...t], [...p]); // [ 3198, 6397, 9596, 15887 ] [ 1, 1, 1, 0 ]
 * ```
 */
export function eventsFromFrames(
  frames: Tensor,
  timestamps: ArrayLike<number>,
  options: CameraOptions = {},
): EventRecording {
  const where = "eventsFromFrames";
  const given = allOptions(where, DEFAULTS, options);
  for (const name of ["onThreshold", "offThreshold", "logOffset"] as const)
    numberOf(where, name, given[name], POSITIVE);
  for (const name of ["mismatch", "refractoryPeriod", "leakRate", "shotNoiseRate"] as const)
    numberOf(where, name, given[name], NOT_NEGATIVE);
  const generator = generatorOf(where, given.generator);
  if (!(frames instanceof Tensor)) throw wrongType(where, "frames as a tensor [F, H, W]", frames);
  alive(frames, where);
  const [F, H, W] = frames.sizes as [number, number, number];
  if (frames.ndim !== 3 || H > 65_536 || W > 65_536) {
    throw wrongValue(where, "frames [F, H, W] with sides of at most 65536", formatShape(frames.sizes));
  }
  const times = timesOf(where, timestamps, F, H * W);
  const camera = new Camera(where, H, W, { ...given, generator });
  const perPart = Math.max(1, Math.floor(AT_ONCE / (H * W)));
  for (let f = 0; f < F; f += perPart) {
    const part = frames.slice(0, f, Math.min(f + perPart, F));
    const intensities = part.toFloat32Array();
    for (let i = 0; i < intensities.length; i++) {
      const I = intensities[i] as number;
      if (!(I >= 0 && I < Infinity)) throw wrongValue(where, "finite intensities ≥ 0", I);
    }
    const levels = noGrad(() => part.add(given.logOffset).log().toFloat32Array());
    for (let i = 0; i < levels.length; i += H * W) {
      camera.see(levels.subarray(i, i + H * W), intensities.subarray(i, i + H * W), times[f + i / (H * W)] as number);
    }
  }
  return camera.events();
}

/**
 * Checks that timestamps ascend, and that neighbours are close enough for the sort keys of events between them to be exact.
 */
function timesOf(where: string, timestamps: ArrayLike<number>, F: number, pixels: number): number[] {
  const times = listOf(where, "timestamps", Array.from(numbersOf(where, "timestamps", timestamps)), FINITE, F);
  const most = Number.MAX_SAFE_INTEGER / (2 * pixels) - 1;
  for (let f = 1; f < F; f++) {
    const [before, now] = [times[f - 1] as number, times[f] as number];
    if (!(now > before)) throw wrongValue(where, `a time after ${before} µs for frame ${f}`, now);
    if (now - before > most) throw wrongValue(where, `frames at most ${most} µs apart`, now - before);
  }
  return times;
}

/** The pixels of a camera and their state between frames. */
class Camera {
  private readonly columns: EventColumns;
  private readonly options: Required<CameraOptions>;
  private readonly pixels: number;
  /** Thresholds of each pixel. */
  private readonly on: Float32Array;
  private readonly off: Float32Array;
  /** R of each pixel. */
  private readonly reference: Float64Array;
  private readonly fired: Float64Array;
  /** L of the last frame, and its time. */
  private last: Float32Array | null = null;
  private now = 0;
  /** Sort keys of the events since the last frame: by time, then pixel, then polarity. */
  private keys = new Float64Array(1024);
  private count = 0;

  constructor(where: string, H: number, W: number, options: Required<CameraOptions>) {
    this.columns = new EventColumns(where, false, W, H);
    this.options = options;
    this.pixels = H * W;
    this.on = this.thresholds(options.onThreshold);
    this.off = this.thresholds(options.offThreshold);
    this.reference = new Float64Array(this.pixels);
    this.fired = new Float64Array(this.pixels).fill(-Infinity);
  }

  private thresholds(C: number): Float32Array {
    const { mismatch, generator } = this.options;
    if (mismatch === 0) return new Float32Array(this.pixels).fill(C);
    return noGrad(() => {
      const drawn = randn([this.pixels], { generator }).mul(mismatch).add(C);
      return drawn.maximum(LEAST_THRESHOLD).toFloat32Array();
    });
  }

  /** Reads the next frame: log intensities and intensities at time t. */
  see(levels: Float32Array, intensities: Float32Array, t: number): void {
    if (this.last === null) this.reference.set(levels);
    else this.change(this.last, levels, intensities, t);
    this.last = levels;
    this.now = t;
  }

  /** Emits the events between two frames. */
  private change(from: Float32Array, to: Float32Array, intensities: Float32Array, t: number): void {
    const { on, off, reference, now, pixels } = this;
    const { leakRate, shotNoiseRate, generator } = this.options;
    const span = t - now;
    const leak = leakRate * span * 1e-6;
    const chance = shotNoiseRate * span * 1e-6;
    const noise = chance === 0 ? null : noGrad(() => rand([pixels], { generator }).toFloat32Array());
    const isStill = leak === 0 && noise === null;
    for (let i = 0; i < pixels; i++) {
      // In most scenes most pixels do not change.
      if (isStill && from[i] === to[i]) continue;
      const rise = on[i] as number;
      const fall = off[i] as number;
      // d moves linearly from `start` to `start + slope`.
      const start = (from[i] as number) - (reference[i] as number);
      const slope = (to[i] as number) - (from[i] as number) + leak * rise;
      let noiseAt = Infinity;
      let noiseP = 0;
      if (noise !== null) {
        const likely = (chance / 2) * (1 - QUIETER * Math.min(intensities[i] as number, 1));
        const drawn = (noise[i] as number) / likely;
        // The fractional part of a number uniform in [0, 2) is uniform; it gives the time within the interval.
        noiseP = drawn < 1 ? 1 : 0;
        if (drawn < 2) noiseAt = now + span * (drawn - (drawn < 1 ? 0 : 1));
      }
      const end = start + slope;
      // Most pixels cross no threshold and need no division.
      if (noiseAt === Infinity && (slope > 0 ? end < rise : end > -fall || slope === 0)) {
        if (leak !== 0) reference[i] = (reference[i] as number) - leak * rise;
        continue;
      }
      const step = slope > 0 ? rise : -fall;
      const crossings = slope === 0 ? 0 : Math.max(0, Math.floor(end / step));
      if (crossings > MOST)
        throw wrongValue("eventsFromFrames", `at most ${MOST} events of a pixel a frame`, crossings);
      for (let c = 1; c <= crossings; c++) {
        const at = now + span * Math.max((c * step - start) / slope, 0);
        if (noiseAt <= at) {
          this.fire(i, noiseAt, noiseP);
          noiseAt = Infinity;
        }
        this.fire(i, at, slope > 0 ? 1 : 0);
      }
      if (noiseAt < Infinity) this.fire(i, noiseAt, noiseP);
      reference[i] = (reference[i] as number) + crossings * step - leak * rise;
    }
    this.flush();
  }

  /** Emits an event of pixel i, unless the pixel is refractory. */
  private fire(i: number, at: number, p: number): void {
    const t = Math.floor(at);
    if (t - (this.fired[i] as number) < this.options.refractoryPeriod) return;
    this.fired[i] = t;
    if (this.count === this.keys.length) {
      const keys = new Float64Array(2 * this.count);
      keys.set(this.keys);
      this.keys = keys;
    }
    this.keys[this.count++] = ((t - Math.floor(this.now)) * this.pixels + i) * 2 + p;
  }

  /** Sorts the events between two frames and writes them to the columns. */
  private flush(): void {
    const { columns, pixels, count } = this;
    const { width } = columns;
    const keys = this.keys.subarray(0, count).sort();
    const first = Math.floor(this.now);
    columns.reserve(count);
    for (let k = 0; k < count; k++) {
      const key = keys[k] as number;
      const place = Math.floor(key / 2);
      const time = Math.floor(place / pixels);
      const i = place - time * pixels;
      const y = Math.floor(i / width);
      const n = columns.length++;
      columns.t[n] = first + time;
      columns.y[n] = y;
      columns.x[n] = i - y * width;
      columns.p[n] = key - 2 * place;
    }
    this.count = 0;
  }

  events(): EventRecording {
    const { t, x, y, p, width, height } = this.columns.take();
    return { t, x, y, p, width, height };
  }
}
