import { cardPoster } from "../card.ts";
import { learn } from "../worker/tasks/boundary.ts";
import { type Lesson, paintLesson, SUBJECT } from "./paint.ts";

/** The network of the first seed, when it has learned. */
function learned(): Lesson {
  const lesson = { points: new Float32Array(), labels: new Uint8Array(), steps: 0, accuracies: [] as number[] };
  let map: Float32Array | null = null;
  for (const message of learn(0, 2)) {
    if (message.kind === "begun") Object.assign(lesson, { points: message.points, labels: message.labels });
    else {
      map = message.map;
      lesson.steps = message.steps;
      lesson.accuracies.push(message.accuracy);
    }
  }
  return { ...lesson, map };
}

const lesson = learned();

export const poster = cardPoster(SUBJECT, (pen, palette) => paintLesson(pen, lesson, palette));
