/** Networks that run one time step at a time, on live input. */
import { numbersOf, wrongType, wrongValue } from "../../engine/arguments.ts";
import { inReference, peek, ready, touch } from "../../engine/extend.ts";
import { type Module, noGrad, Tensor } from "../../engine/index.ts";
import { disposed, enter, leave } from "../../engine/lasting.ts";
import { checkShape, type Shape } from "../../engine/shape.ts";
import { own, type Stage } from "../layer/stage.ts";
import { layersOf } from "../layer/stepping.ts";
import { stageOfAll } from "./stages.ts";

/**
 * A network that receives one time step at a time and keeps its state in between, for live sound, events and sensors. Its outputs have the
 * same bits as `forward` on the sequence [T, B, …] of all inputs.
 *
 * The second step makes a transposed copy of the weights. After it linear memory no longer changes, and a step of neurons, linear layers,
 * convolutions, pools and normalisation creates no object; other modules create the tensors of their `forward`, which are freed.
 *
 * A user's module with a state needs `step(x, state)` and `initialState(shape)`, as neurons have. A module whose `forward` computes each
 * step independently needs `static stateless = true` ({@link Module.stateless}); its `forward` receives a sequence of one step, [1, B, …],
 * in evaluation mode. Other modules are refused, because their `forward` would start from zeros in each step. The constructor runs a module
 * once, on zeros, to find the shape of its output.
 *
 * Values written to parameters take effect in the next step, so training may continue; a replaced parameter is an error. After such a
 * write, or if the `data` of their parameters was read, a step of neurons creates tensors. Nothing is recorded. A stream lives until
 * `dispose()`; `gradcheck` cannot contain one.
 *
 * @example
 * ```ts
 * import { LIF, Linear, Sequential, Stream } from "jarvis-snn";
 *
 * const fc = new Linear(1, 1);
 * fc.weight.copyFrom([1]);
 * fc.bias?.copyFrom([0]);
 * const stream = new Stream(new Sequential(fc, new LIF({ beta: 0.5 })), [1, 1]);
 * console.log([0.75, 0.75, 0.75].map((x) => stream.step([x])[0])); // [ 0, 1, 0 ]
 * stream.dispose();
 * ```
 */
export class Stream {
  /** The input of the next step, [B, …]; zeros at first. `step(x)` or `copyFrom` writes it. */
  readonly input: Tensor;
  /**
   * The output of the last step, [B, …]: the same tensor after every step, for reading only. For recurrent neurons it is part of the state.
   */
  readonly output: Tensor;
  private readonly stage: Stage;
  private readonly result: Float32Array;
  /** Views are made once, so that a step creates none. When memory grows, their length becomes 0. */
  private inputView: Float32Array = new Float32Array();
  private outputView: Float32Array = new Float32Array();
  /** The region of the temporary tensors of a step; tensors that a failed step leaves there are freed. */
  private readonly region = { ...disposed };

  /**
   * `network` is a layer, layers in a `Sequential`, or a list of these; `shape` is the input's shape in one step, [B,
   * …].
   *
   * @throws RangeError unless the sizes are positive integers and fit the layers, or for a module whose state is not known; TypeError for
   *   anything but modules; Error inside of `gradcheck`.
   */
  constructor(network: Module | readonly Module[], shape: Shape) {
    checkKernels();
    const paths: string[] = [];
    const layers = layersOf("Stream", network, paths);
    const sizes = checkShape("Stream", shape);
    const { input, stage } = noGrad(() => {
      const input = own(sizes);
      return { input, stage: stageOfAll(layers, input, paths) };
    });
    this.input = input;
    this.stage = stage;
    this.output = stage.output;
    this.result = new Float32Array(this.output.size);
  }

  /**
   * Runs one time step on x, [B, …] in row-major order, or on the values in `input`. Returns the output, in an array that the next step
   * overwrites.
   *
   * @throws RangeError for a wrong number of values, or if memory runs out; TypeError for anything but a list of numbers; Error if the
   *   stream, its parameters or buffers were freed, if a parameter or step of neurons was replaced after the stream was made, or inside
   *   `gradcheck`. An error leaves the state unchanged, unless memory ran out or the `forward` or `step` of a module threw: then the layers
   *   before that module have done their step.
   */
  step(x?: ArrayLike<number>): Float32Array {
    checkKernels();
    const { input, output, stage, result } = this;
    const values = x === undefined || x instanceof Float32Array ? x : valuesOf(x);
    ready("Stream", input);
    ready("Stream", output);
    // Counts the bytes of a Float32Array, since it may have an own property `length`.
    const count = values instanceof Float32Array ? values.byteLength / 4 : values?.length;
    if (count !== undefined && count !== input.size) throw wrongValue("Stream", `${input.size} values`, count);
    stage.check();
    if (values !== undefined) {
      if (this.inputView.length === 0) this.inputView = peek(input);
      this.inputView.set(values);
      touch(input);
    }
    enter(false, this.region);
    try {
      stage.step();
    } finally {
      leave();
    }
    touch(output);
    if (this.outputView.length === 0) this.outputView = peek(output);
    result.set(this.outputView);
    return result;
  }

  /**
   * Returns to the initial state.
   *
   * @throws Error if the stream was freed, or inside of `gradcheck`.
   */
  reset(): void {
    checkKernels();
    ready("Stream", this.output);
    this.stage.reset();
  }

  /** Frees the memory of the stream, but not of its layers. */
  dispose(): void {
    this.input.dispose();
    for (const t of this.stage.memory) t.dispose();
  }
}

function checkKernels(): void {
  if (inReference()) throw new Error("Stream: it keeps its state in linear memory, which gradcheck does not use");
}

function valuesOf(x: unknown): ArrayLike<number> {
  if (x instanceof Tensor) throw wrongType("Stream", "an array of values", x, "; input.copyFrom(x) takes a tensor");
  return numbersOf("Stream", "an array of values", x);
}
