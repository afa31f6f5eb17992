/** A bump that is cued, pushed and silenced while it runs, 1 ms a step. */
import { Generator } from "jarvis-snn";
import { type AttractorState, nearlyNormal } from "../attractor.ts";
import { DoubleRing, type Input, NOISE } from "./network.ts";

/** Milliseconds of a cue and of a silence. */
export const CUE_MS = 500;
export const SILENCE_MS = 50;
/** Milliseconds for which the figure of the site runs before it is drawn as a still. */
export const STORY_MS = 3000;
/** Steps after which a spike counts e times less for the direction. */
const READING_STEPS = 100;

/** A bump of a {@link DoubleRing}. The spikes depend on the seed and on the inputs of each ms, and not on how calls divide the time. */
export class Bump {
  /** n, the neurons of each of the two rings. */
  readonly size: number;
  /** Milliseconds since the start. */
  time = 0;
  /** FNV-1a of the steps and neurons of all spikes, 32 bits. */
  hash = 0x811c9dc5;
  private readonly ring: DoubleRing;
  private state: AttractorState | undefined;
  private silentMs = 0;
  private readonly directions: Float32Array;
  /** The sum of the directions of spikes, recent ones most. */
  private x = 0;
  private y = 0;

  constructor(size: number, seed = 0, noise = NOISE) {
    this.size = size;
    this.ring = new DoubleRing(size, noise, nearlyNormal(new Generator(seed)));
    this.directions = this.ring.directions.toFloat32Array();
  }

  /** The direction of the spikes of the last 100 ms or so, in degrees from −180 to 180; null without spikes. */
  get direction(): number | null {
    return this.x === 0 && this.y === 0 ? null : Math.atan2(this.y, this.x) * (180 / Math.PI);
  }

  /** For the next 50 ms no neuron fires. Then all membranes and synaptic currents begin at zero. */
  silence(): void {
    this.silentMs = SILENCE_MS;
  }

  /** Passes so many ms under an input, and reports each spike: its ms, and its neuron of 2n. */
  advance(ms: number, input: Input, onSpike: (time: number, neuron: number) => void = () => {}): void {
    const silent = Math.min(ms, this.silentMs);
    if (silent > 0) {
      this.silentMs -= silent;
      this.time += silent;
      this.state = undefined;
      this.x = 0;
      this.y = 0;
    }
    if (ms === silent) return;
    const { spikes, state } = this.ring.advance([input], ms - silent, this.state);
    this.state = state;
    const fired = spikes.toFloat32Array();
    spikes.dispose();
    const neurons = 2 * this.size;
    const keep = 1 - 1 / READING_STEPS;
    for (let t = silent; t < ms; t++, this.time++) {
      this.x *= keep;
      this.y *= keep;
      for (let k = 0; k < neurons; k++) {
        if (fired[(t - silent) * neurons + k] === 0) continue;
        this.x += this.directions[k] as number;
        this.y += this.directions[neurons + k] as number;
        this.hash = Math.imul(this.hash ^ (this.time * neurons + k), 0x01000193) >>> 0;
        onSpike(this.time, k);
      }
    }
  }
}

/** The story that a link of the figure has: a cue at an angle, then an input that pushes, for 3 s in all. */
export function story(
  bump: Bump,
  { angle, push }: { angle: number; push: number },
  onSpike?: (time: number, neuron: number) => void,
): Bump {
  bump.advance(CUE_MS, { cue: angle, velocity: 0 }, onSpike);
  bump.advance(STORY_MS - CUE_MS, { cue: null, velocity: push }, onSpike);
  return bump;
}
