/** The training on a page: a press loads the digits and starts the program in the worker of the page. */
import { element } from "../../ui/dom.ts";
import { loadDigits } from "../digits-file.ts";
import type { Mount } from "../figure.ts";
import { pressed } from "../pressed.ts";
import type { MnistMessage, MnistParameters } from "../worker/tasks/mnist.ts";
import { Course, type Digit, resultOf, tenOf, timeOf } from "./model.ts";
import { courseHeight, paintCourse } from "./paint.ts";

const UNTRAINED = "Nothing is trained yet: the network guesses.";

export const mount: Mount = (host, options) => {
  let course = new Course();
  let ten: Digit[] = [];
  let file: ArrayBuffer | null = null;
  const time = element("p", { class: "time" }, UNTRAINED);
  const result = element("p", { class: "sentence", role: "status" });
  const figure = pressed<MnistMessage>(host, options, {
    task: "mnist",
    labels: ["Train", "Train again"],
    drawing: {
      heightFor: courseHeight,
      paint: (pen, width, _height, palette) => paintCourse(pen, course, ten, width, palette),
    },
    label: "Loss and accuracy over the batches of the training, and ten digits with the answers of the network",
    beside: [time],
    below: [result],
    async prepare(): Promise<MnistParameters> {
      time.textContent = "The digits are loading …";
      file ??= await loadDigits("Press Train to try again.");
      ten = tenOf(file);
      return { file };
    },
    onBegin() {
      course = new Course();
    },
    onMessage(news) {
      if (news.kind === "end") figure.stop("done");
      else course.note(news);
      // With reduced motion the picture changes at each epoch, not at each batch.
      return !options.still || news.kind === "epoch";
    },
    show(ended) {
      const passed = course.progress === null ? "" : timeOf(course.progress);
      time.textContent = ended === "" ? passed : `${passed} · ${ended}`;
      result.textContent = resultOf(course, ten);
    },
  });
  return figure;
};
