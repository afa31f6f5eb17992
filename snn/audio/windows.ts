/** Cuts sound that arrives in blocks into windows. */

/** Windows of `size` samples, a hop apart. Samples are kept until no later window needs them. */
export class HopWindows {
  private readonly size: number;
  private readonly hop: number;
  /** Number of last samples that are always kept. */
  private readonly kept: number;
  /** The last part of the sound so far: it begins at the next window or, to keep the last samples, earlier. */
  sound: Float32Array;
  /** Index in `sound` at which the next window begins. */
  private next = 0;

  /** Windows over sound that begins with these samples. */
  constructor(first: Float32Array, size: number, hop: number, kept = 0) {
    this.sound = first;
    this.size = size;
    this.hop = hop;
    this.kept = kept;
  }

  /**
   * Samples from the beginning of the next window to the end of the last window that these samples complete; null if none is complete.
   */
  take(samples: Float32Array): Float32Array | null {
    this.sound = joinedSamples(this.sound, samples);
    const { sound, next, hop, size } = this;
    const count = Math.floor((sound.length - next - size) / hop) + 1;
    if (count <= 0) return null;
    const passed = next + count * hop;
    const drop = Math.max(0, Math.min(passed, sound.length - this.kept));
    this.sound = sound.slice(drop);
    this.next = passed - drop;
    return sound.slice(next, passed - hop + size);
  }
}

export function joinedSamples(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
