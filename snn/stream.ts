/** Networks that run one time step after the other, on an input that comes in as it comes. */
import { allOrNothing, checkShape, peek, ready, type Shape, touch } from "../engine/extend.ts";
import { Module, Sequential, type Tensor } from "../engine/index.ts";
import { own, type Stage, stageOf } from "./stages.ts";

/**
 * A network that gets one time step after the other and keeps its state in between, for what comes in as it comes: sound,
 * events, sensors. Its outputs have the bits that `forward` gives for the sequence [T, B, …] of all inputs.
 *
 *     const stream = new Stream(network.eval(), [1, 784]);
 *     const output = stream.step(frame); // a Float32Array
 *
 * All memory is taken at the start. A step of `Linear`, `LIF`, `RecurrentLIF` and `LeakyIntegrator` allocates nothing, not
 * even an object; other modules make the tensors of their `forward`, which are freed. Weights are read where they are, so
 * that training may go on. Nothing is recorded. A stream lives until `dispose()`.
 */
export class Stream {
  /** What the next step reads, [B, …]; zeros at first. `step(x)` writes it, or `copyFrom`. */
  readonly input: Tensor;
  /** What the last step gave, [B, …]: the same tensor after every step. */
  readonly output: Tensor;
  private readonly stages: readonly Stage[];
  private read: Float32Array = new Float32Array();
  private written: Float32Array = new Float32Array();

  /**
   * `network` is a layer, layers in a `Sequential`, or a list of these; `shape` that of the input of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers and fit the layers, or for a module with neurons within, of
   *   which only its `forward` knows the order; TypeError for anything but modules.
   */
  constructor(network: Module | readonly Module[], shape: Shape) {
    checkShape("Stream", shape);
    const layers = layersOf(network);
    const stages: Stage[] = [];
    [this.input, this.output] = allOrNothing(() => {
      const input = own(shape);
      let output = input;
      for (const layer of layers) {
        const stage = stageOf(layer, output);
        stages.push(stage);
        output = stage.output;
      }
      return [input, output];
    });
    this.stages = stages;
  }

  /**
   * One time step: of x, [B, …] in row-major order, or of what `input` holds. Returns a live view of the output, which the
   * next step overwrites.
   *
   * @throws RangeError for another number of values; Error if the stream or its weights were freed.
   */
  step(x?: ArrayLike<number>): Float32Array {
    const { input, output, stages } = this;
    ready("Stream", input);
    if (x !== undefined) {
      if (x.length !== input.size) throw new RangeError(`Stream: expected ${input.size} values, got ${x.length}`);
      // Memory that grew leaves views of length 0 behind.
      if (this.written.length === 0) this.written = peek(input);
      this.written.set(x);
      touch(input);
    }
    for (let i = 0; i < stages.length; i++) (stages[i] as Stage).step();
    touch(output);
    if (this.read.length === 0) this.read = peek(output);
    return this.read;
  }

  /** Forgets all steps: the state is that of the start. */
  reset(): void {
    for (const stage of this.stages) stage.reset();
  }

  /** Frees the memory of the stream, not that of its layers. */
  dispose(): void {
    this.input.dispose();
    for (const { memory } of this.stages) for (const t of memory) t.dispose();
  }
}

function layersOf(network: Module | readonly Module[]): Module[] {
  if (network instanceof Sequential) return layersOf(network.modules);
  if (network instanceof Module) return [network];
  if (Array.isArray(network)) return network.flatMap(layersOf);
  throw new TypeError(`Stream: expected modules, got ${typeof network}`);
}
