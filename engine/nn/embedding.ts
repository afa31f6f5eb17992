import { k } from "../backend.ts";
import { type Generator, generatorOf } from "../generator.ts";
import { type EmbeddingOptions, embedding, type Indices, paddingRow } from "../ops/indexing.ts";
import { checkShape } from "../shape.ts";
import { parameter } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/**
 * A table of learned vectors, looked up by index: [...] → [..., embeddingDim];  weight [numEmbeddings, embeddingDim]
 *
 * The weight starts normal with mean 0 and variance 1, as in PyTorch. The row `paddingIdx` starts from 0 and gets no gradient.
 *
 * @throws RangeError unless both sizes are positive integers and paddingIdx is one of the rows.
 */
export class Embedding extends Module {
  /** One vector a row, [numEmbeddings, embeddingDim]. */
  readonly weight: Tensor;
  /** The row that gets no gradient, or null. */
  readonly paddingIdx: number | null;

  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    { paddingIdx = null, ...options }: EmbeddingOptions & { generator?: Generator } = {},
  ) {
    super();
    const generator = generatorOf("Embedding", options.generator);
    const shape = checkShape("Embedding", [numEmbeddings, embeddingDim]);
    const row = paddingRow(paddingIdx, numEmbeddings);
    this.paddingIdx = paddingIdx;
    this.weight = parameter(empty(shape));
    const { ptr, size } = this.weight;
    generator.normal(ptr, size);
    if (row >= 0) k.fill(ptr + 4 * row * embeddingDim, embeddingDim, 0);
  }

  forward(indices: Indices): Tensor {
    return embedding(indices, this.weight, { paddingIdx: this.paddingIdx });
  }
}
