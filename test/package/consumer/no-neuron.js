/** Uses tensors of the complete entry, and no neurons. */
import { tensor } from "jarvis-snn";

export const result = tensor([2]).mul(3).item();
