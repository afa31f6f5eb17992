/** The training on a page: a press loads the digits and starts the program in the worker of the page. */
import { CanvasView } from "../../ui/canvas.ts";
import { button, element } from "../../ui/dom.ts";
import type { Mount } from "../figure.ts";
import { currentPalette } from "../palette.ts";
import { Task } from "../worker/client.ts";
import type { MnistMessage, MnistParameters } from "../worker/tasks/mnist.ts";
import { Course, type Digit, resultOf, tenOf, timeOf } from "./model.ts";
import { courseHeight, paintCourse } from "./paint.ts";

/** The digits of the playground. */
const addressOfDigits = (): string => `${document.body.dataset.root ?? "./"}play/digits.bin`;

const NOT_LOADED = "The digits do not load: the network may be away. Press Train to try again.";

export const mount: Mount = (host, { still }) => {
  let course = new Course();
  let ten: Digit[] = [];
  let task: Task | null = null;
  let file: ArrayBuffer | null = null;
  let isSeen = false;

  const picture = element("div", { class: "host" });
  // Until the first press the picture is that of the training at the build.
  const poster = document.querySelector('snn-figure[name="mnist-page"] picture')?.cloneNode(true);
  if (poster !== undefined) picture.append(poster);
  let view: CanvasView | null = null;
  const time = element("p", { class: "time" }, "The picture is of the training when this page was built.");
  const result = element("p", { class: "sentence", role: "status" });
  const problem = element("p", { class: "problem", role: "alert", hidden: "" });

  const toggle = button("Train", () => (task === null ? void train() : stop("stopped")), { class: "primary" });

  function show(): void {
    toggle.textContent = task !== null ? "Stop" : course.losses.length > 0 ? "Train again" : "Train";
    if (course.progress !== null) time.textContent = timeOf(course.progress);
    result.textContent = resultOf(course, ten);
    view?.update();
  }

  function stop(word: string): void {
    task?.stop();
    task = null;
    show();
    time.textContent += ` · ${word}`;
  }

  async function load(): Promise<ArrayBuffer> {
    const response = await fetch(addressOfDigits());
    if (!response.ok) throw new TypeError(`${response.status}`);
    return response.arrayBuffer();
  }

  async function train(): Promise<void> {
    problem.hidden = true;
    toggle.disabled = true;
    time.textContent = "The digits are loading …";
    try {
      file ??= await load();
    } catch {
      tell(NOT_LOADED);
      return;
    } finally {
      toggle.disabled = false;
    }
    course = new Course();
    ten = tenOf(file);
    if (view === null) {
      picture.replaceChildren();
      view = new CanvasView(
        picture,
        {
          heightFor: courseHeight,
          paint: (pen, width) => paintCourse(pen, course, ten, width, currentPalette()),
        },
        "Loss and accuracy over the batches of the training, and ten digits with the answers of the network",
      );
    }
    const parameters: MnistParameters = { file };
    task = new Task("mnist", parameters, { onMessage, onProblem: tell });
    if (isSeen) task.play();
    show();
  }

  function onMessage(news: MnistMessage): void {
    if (news.kind === "end") {
      stop("done");
      return;
    }
    course.note(news);
    // With reduced motion the picture changes at each epoch, not at each batch.
    if (!still || news.kind === "epoch") show();
  }

  function tell(message: string): void {
    task = null;
    problem.textContent = message;
    problem.hidden = false;
    time.textContent = "";
    show();
  }

  host.append(picture, element("div", { class: "controls" }, toggle, time), problem, result);
  return {
    play() {
      isSeen = true;
      task?.play();
    },
    rest() {
      isSeen = false;
      task?.rest();
    },
  };
};
