import { defaultGenerator, type Generator } from "../generator.ts";
import { checkProbability, dropout } from "../ops/dropout.ts";
import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** Zeros with probability p in training, x as it is in evaluation; see `dropout`. */
export class Dropout extends Module {
  readonly p: number;
  readonly generator: Generator;

  constructor(p = 0.5, { generator = defaultGenerator }: { generator?: Generator } = {}) {
    super();
    checkProbability("Dropout", p);
    this.p = p;
    this.generator = generator;
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this);
  }
}
