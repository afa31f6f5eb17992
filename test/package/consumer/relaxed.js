/** Chooses the arithmetic with an import of no names, as a program does, and tells which one runs. */
import "jarvis-snn/relaxed";
import { tensor } from "jarvis-snn";
import { arithmetic } from "jarvis-snn/kernels";

export const result = {
  arithmetic,
  product: tensor([[2]])
    .matmul(tensor([[3]]))
    .item(),
};
