/** A network learns to tell two moons apart, and shows how it divides the plane; when it has learned, another one begins. */
import { Adam, type Generator as RandomGenerator, rand } from "jarvis-snn";
import { planarData } from "../../../model/data.ts";
import { Run } from "../../../model/run.ts";
import { trainFields } from "../../../model/train-fields.ts";
import { completed, decisionMap, mapAt } from "../../../model/views.ts";
import { defaults } from "../../../state/fields.ts";
import { buffersIn, type Send, type Turns } from "../protocol.ts";

export interface BoundaryParameters {
  /** Of the first network; each further one has the next. */
  readonly seed: number;
  /** Training steps between two pictures, and the least time between them in ms. */
  readonly steps: number;
  readonly pictureMs: number;
}

export type BoundaryMessage =
  /** A new network: the test samples that all its pictures show, as points x, y, …, and their labels. */
  { readonly kind: "begun"; readonly points: Float32Array; readonly labels: Uint8Array } | BoundaryPicture;

export interface BoundaryPicture {
  readonly kind: "picture";
  /** Training steps taken. */
  readonly steps: number;
  /** Share of the test samples that are told apart. */
  readonly accuracy: number;
  /** Certainty of class 1, MAP_SIDE rows of the unit square from the top. */
  readonly map: Float32Array;
  readonly isLearned: boolean;
}

export const MAP_SIDE = 48;

/** A network has learned after so many steps in a row with so few mistakes; no network takes longer than the most. */
const ENOUGH = 0.97;
const STEADY = 40;
const MOST = 300;

/** How long the picture of a network that has learned stays. */
const PAUSE_MS = 3000;

export function* run({ seed, steps, pictureMs }: BoundaryParameters, send: Send<BoundaryMessage>): Turns {
  for (let next = seed; ; next = (next + 1) % (trainFields.seed.max + 1)) {
    for (const message of learn(next, steps)) {
      send(message, buffersIn(message));
      const isLast = message.kind === "picture" && message.isLearned;
      yield isLast ? PAUSE_MS : pictureMs;
    }
  }
}

/** The messages of one network, from its random weights until it has learned. */
export function* learn(seed: number, steps: number): Generator<BoundaryMessage, void> {
  const config = { ...defaults(trainFields), seed };
  const run = new Run(config, planarData(config, uniform), ({ lr }, model) => new Adam(model.parameters(), { lr }));
  try {
    const { points, test } = run.data;
    yield { kind: "begun", points: (points as Float32Array).slice(), labels: test.y.slice() };
    for (let steady = 0; ; ) {
      const accuracy = run.testAccuracy();
      steady = accuracy >= ENOUGH ? steady + steps : 0;
      const isLearned = steady >= STEADY || run.steps >= MOST;
      yield {
        kind: "picture",
        steps: run.steps,
        accuracy,
        map: mapAt(completed(decisionMap(run, run.model, MAP_SIDE)), config.timesteps, config.timesteps - 1).slice(),
        isLearned,
      };
      if (isLearned) return;
      for (let i = 0; i < steps; i++) run.step();
    }
  } finally {
    run.dispose();
  }
}

/** Numbers of mean 0 and variance 1 between ±√3. */
const uniform = (n: number, generator: RandomGenerator): Float32Array =>
  rand([n], { generator }).sub(0.5).mul(Math.sqrt(12)).toFloat32Array();
