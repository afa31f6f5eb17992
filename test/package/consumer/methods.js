/** Uses methods of tensors without importing the functions behind them. */
import { tensor } from "jarvis-snn";

console.log(tensor([2]).mul(3).item());
