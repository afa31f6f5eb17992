/** A table of vectors by index: the op `embedding` of ops/indexing.ts with its weight. */
import { INTEGER, numberOf, withDefaults } from "../arguments.ts";
import { k } from "../core/backend.ts";
import { emptyOf, type Tensor } from "../core/tensor.ts";
import { defaultGenerator, type Generator, generatorOf, normal } from "../generator.ts";
import { type EmbeddingOptions, embedding, type Indices, paddingRow } from "../ops/indexing.ts";
import { parameter } from "../outside/persist.ts";
import { checkShape } from "../shape.ts";
import { Module, traitsOf } from "./module.ts";

const DEFAULTS = { paddingIdx: null as number | null, generator: defaultGenerator };

/**
 * A table of learned vectors, looked up by index: [...] → [..., embeddingDim];  weight [numEmbeddings, embeddingDim]
 *
 * The weight starts normal with mean 0 and variance 1, as in PyTorch. The row `paddingIdx` starts from 0 and gets no gradient.
 *
 * Default: null, no such row.
 *
 * @throws RangeError unless both sizes are positive integers and paddingIdx is one of the rows; TypeError for anything but a generator.
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
  /** One vector per row, [numEmbeddings, embeddingDim]. */
  readonly weight: Tensor;
  /** Row that gets no gradient, or null. */
  readonly paddingIdx: number | null;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions & { generator?: Generator } = {}) {
    super(TRAITS);
    const { paddingIdx, generator } = withDefaults("Embedding", DEFAULTS, options);
    generatorOf("Embedding", generator);
    const shape = checkShape("Embedding", [numEmbeddings, embeddingDim]);
    if (paddingIdx !== null) numberOf("Embedding", "paddingIdx", paddingIdx, INTEGER);
    const row = paddingRow(paddingIdx, numEmbeddings);
    this.paddingIdx = paddingIdx;
    this.weight = parameter(emptyOf(shape));
    const { ptr, size } = this.weight;
    normal(generator, ptr, size);
    if (row >= 0) k.fill(ptr + 4 * row * embeddingDim, embeddingDim, 0);
  }

  /**
   * Looks up the rows of the indices: [...] → [..., embeddingDim].
   *
   * @throws RangeError if an index is not an integer in [0, numEmbeddings), or there are no indices; TypeError for
   *   anything but an array or a tensor.
   */
  forward(indices: Indices): Tensor {
    return embedding(indices, this.weight, { paddingIdx: this.paddingIdx });
  }
}

const TRAITS = traitsOf(Embedding, "stepwise");
