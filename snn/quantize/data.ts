/** Data that a model runs on: a tensor, a dataset or batches. */
import { iterableOf, objectOf } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { type Batch, type Batches, DataLoader, type Dataset, Tensor } from "../../engine/index.ts";
import { isDataset } from "../../engine/protocol.ts";

/** An input of a model as a tensor, a dataset, or batches of a loader. */
export type ModelData<Y> = Tensor | Dataset<Y> | Batches<Y>;

/**
 * Calls `ofTensor` with a tensor, or `ofBatch` with each batch of a dataset or a loader, in order.
 *
 * @throws TypeError for data or batches of the wrong type; Error for a tensor that was freed.
 */
export function readData<Y>(
  where: string,
  data: ModelData<Y>,
  ofTensor: (x: Tensor) => void,
  ofBatch: (batch: Batch<Y>) => void,
): void {
  if (data instanceof Tensor) {
    alive(data, where);
    ofTensor(data);
    return;
  }
  const loader = isDataset<Y>(data) ? new DataLoader(data) : null;
  const batches = iterableOf(where, "data as a tensor, a dataset or batches", loader ?? (data as Batches<Y>));
  try {
    for (const batch of batches) {
      alive(objectOf(where, "batches { x, y }", batch).x as Tensor, `${where}: x of a batch`);
      ofBatch(batch);
    }
  } finally {
    loader?.dispose();
  }
}
