/** A network that learns in the worker: the boundary that it draws between two moons, after each picture's steps. */
import { button, element } from "../../ui/dom.ts";
import { signal } from "../../ui/signal.ts";
import { Card } from "../card.ts";
import type { Mount } from "../figure.ts";
import { Task } from "../worker/client.ts";
import type { BoundaryMessage, BoundaryParameters } from "../worker/tasks/boundary.ts";
import { type Lesson, paintLesson, SUBJECT } from "./paint.ts";

/** Training steps between two pictures, and ms: with little motion two pictures a second. */
const PACE = { steps: 2, pictureMs: 60 };
const STILL_PACE = { steps: 16, pictureMs: 500 };

export const mount: Mount = (host, { still }) => {
  let lesson: Lesson = { points: new Float32Array(), labels: new Uint8Array(), map: null, steps: 0, accuracies: [] };
  const { given: settled, give: settle } = signal();
  let mayLearn = true;
  let isPressed = false;
  let isSeen = false;
  const card = new Card(host, SUBJECT, "The plane as a network divides it while it learns", (pen, palette) =>
    paintLesson(pen, lesson, palette),
  );
  const parameters: BoundaryParameters = { seed: 0, ...(still ? STILL_PACE : PACE) };
  const task = new Task("boundary", parameters, {
    onMessage(message: BoundaryMessage) {
      if (message.kind === "begun") lesson = { ...message, map: null, steps: 0, accuracies: [] };
      else {
        const accuracies = [...lesson.accuracies, message.accuracy];
        lesson = { ...lesson, map: message.map, steps: message.steps, accuracies };
        host.dataset.steps = String(lesson.steps);
        settle();
        // Without motion a network shows how it begins, and learns after a press.
        if (still && (message.isLearned || !isPressed)) {
          mayLearn = false;
          follow();
        }
      }
      card.update();
    },
    onProblem(message) {
      card.append(element("p", { class: "problem", role: "alert" }, message));
    },
  });
  const follow = (): void => {
    if (mayLearn && isSeen) task.play();
    else task.rest();
  };
  if (still) {
    const learn = button("Let it learn", () => {
      mayLearn = true;
      isPressed = true;
      follow();
    });
    card.append(learn);
  }
  const see = (seen: boolean) => (): void => {
    isSeen = seen;
    follow();
  };
  return { play: see(true), rest: see(false), settled, film: () => 6 };
};
