/** A table of rows by index: the op `embedding` of ops/indexing.ts with its weight. */
import { INTEGER, numberOf, withDefaults } from "../arguments.ts";
import { k } from "../backend.ts";
import { defaultGenerator, type Generator, generatorOf, normal } from "../generator.ts";
import { type EmbeddingOptions, embedding, type Indices, paddingRow } from "../ops/indexing.ts";
import { checkShape } from "../shape.ts";
import { parameter } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { Module, traitsOf } from "./module.ts";

const DEFAULTS = { paddingIdx: null as number | null, generator: defaultGenerator };

/**
 * A table of learned vectors, looked up by index: [...] → [..., embeddingDim];  weight [numEmbeddings, embeddingDim]
 *
 * The weight starts normal with mean 0 and variance 1, as in PyTorch. The row `paddingIdx` starts from 0 and gets no gradient.
 *
 * `paddingIdx` is null by default: there is no such row.
 *
 * @throws RangeError unless both sizes are positive integers and paddingIdx is one of the rows; TypeError for a generator
 *   that is none.
 *
 * @example
 * ```ts
 * import { Embedding, tensor } from "jarvis-snn";
 *
 * const table = new Embedding(1000, 16, { paddingIdx: 0 });
 * const vectors = table.forward(tensor([42, 7, 0]));
 * console.log(vectors.shape, vectors.select(0, 2).norm().item()); // [ 3, 16 ] 0
 * ```
 */
export class Embedding extends Module {
  /** One vector a row, [numEmbeddings, embeddingDim]. */
  readonly weight: Tensor;
  /** The row that gets no gradient, or null. */
  readonly paddingIdx: number | null;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions & { generator?: Generator } = {}) {
    super(TRAITS);
    const { paddingIdx, generator } = withDefaults("Embedding", DEFAULTS, options);
    generatorOf("Embedding", generator);
    const shape = checkShape("Embedding", [numEmbeddings, embeddingDim]);
    if (paddingIdx !== null) numberOf("Embedding", "paddingIdx", paddingIdx, INTEGER);
    const row = paddingRow(paddingIdx, numEmbeddings);
    this.paddingIdx = paddingIdx;
    this.weight = parameter(empty(shape));
    const { ptr, size } = this.weight;
    normal(generator, ptr, size);
    if (row >= 0) k.fill(ptr + 4 * row * embeddingDim, embeddingDim, 0);
  }

  /**
   * The rows that the indices name: [...] → [..., embeddingDim].
   *
   * @throws RangeError if one is not a whole number in [0, numEmbeddings), or there are none; TypeError for anything
   *   but an array or a tensor.
   */
  forward(indices: Indices): Tensor {
    return embedding(indices, this.weight, { paddingIdx: this.paddingIdx });
  }
}

const TRAITS = /* @__PURE__ */ traitsOf(Embedding, "stepwise");
