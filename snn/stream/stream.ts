/** Networks that run one time step after the other, on an input that comes in as it comes. */
import { numbersOf, wrongType, wrongValue } from "../../engine/arguments.ts";
import { inReference, peek, ready, touch } from "../../engine/extend.ts";
import { type Module, noGrad, Tensor } from "../../engine/index.ts";
import { disposed, enter, leave } from "../../engine/lasting.ts";
import { checkShape, type Shape } from "../../engine/shape.ts";
import { own, type Stage } from "../layer/stage.ts";
import { layersOf } from "../layer/stepping.ts";
import { stageOfAll } from "./stages.ts";

/**
 * A network that gets one time step after the other and keeps its state in between, for sound, events and sensors as
 * they come in. Its outputs have the bits that `forward` gives for the sequence [T, B, …] of all inputs.
 *
 * From the second step on, which keeps a transposed copy of weights, linear memory stays as it is, and a step of neurons, linear
 * layers, convolutions, pools and normalisation makes no object; other modules make the tensors of their `forward`, which are freed.
 *
 * A user's module needs `step(x, state)` and `initialState(shape)`, as neurons have them, which keep its state, or
 * `static stateless = true` ({@link Module.stateless}) if its `forward` computes each step by itself; `forward` sees a
 * sequence of one step, [1, B, …], in evaluation mode then. Modules without are refused, as their `forward` would start
 * from zeros in each step. The constructor runs a module once, from an input of zeros, for the shape of its output.
 *
 * Values written to parameters count in the next step, so that training may go on, and a parameter that was replaced is an error; a step of neurons makes tensors after such a
 * write, or where the `data` of their parameters was read. Nothing is recorded. A stream lives until `dispose()`, and
 * not inside of `gradcheck`.
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
  /** The input that the next step reads, [B, …]; zeros at first. `step(x)` writes it, or `copyFrom`. */
  readonly input: Tensor;
  /** The output of the last step, [B, …]: the same tensor after every step, to be read. Of recurrent neurons it is part of the state. */
  readonly output: Tensor;
  private readonly stage: Stage;
  private readonly result: Float32Array;
  /** Views are made once, so that a step makes none; growing memory leaves them with length 0. */
  private inputView: Float32Array = new Float32Array();
  private outputView: Float32Array = new Float32Array();
  /** The region of tensors that a step takes for itself and gives back, or leaves behind where it fails. */
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
   * One time step: of x, [B, …] in row-major order, or of the values in `input`. Returns the output, in an array that
   * the next step overwrites.
   *
   * @throws RangeError for another number of values, or where memory runs out; TypeError for anything but numbers in a row; Error if
   *   the stream, its parameters or buffers were freed, another parameter or step of neurons has taken the place of the one that the stream was
   *   made with, or inside of `gradcheck`. The state is as before then, unless memory ran out or
   *   the `forward` or `step` of a module threw: the layers before it have done their step then.
   */
  step(x?: ArrayLike<number>): Float32Array {
    checkKernels();
    const { input, output, stage, result } = this;
    const values = x === undefined || x instanceof Float32Array ? x : valuesOf(x);
    ready("Stream", input);
    ready("Stream", output);
    // An array may have a `length` of its own.
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
   * Forgets all steps: the next one begins from the initial state.
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
