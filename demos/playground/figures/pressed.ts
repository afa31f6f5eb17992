/** Figures that compute in the worker from a press to the next one: a canvas takes the place of the poster, with the button under it. */
import { CanvasView, type Drawing } from "../ui/canvas.ts";
import { button, element } from "../ui/dom.ts";
import type { Living, MountOptions } from "./figure.ts";
import { inPage } from "./in-page.ts";
import { Task } from "./worker/client.ts";

/** Parameters of the tasks of such figures. */
export interface PictureParameters {
  /** The least time between two pictures, in ms. */
  readonly pictureMs: number;
}

/** Milliseconds between two pictures. */
const PICTURES = { moving: 100, still: 1000 };

export interface Pressed<Message> {
  /** The name of a file of worker/tasks, which takes {@link PictureParameters}. */
  readonly task: string;
  /** Labels of the button before the first press, and after a stop. */
  readonly labels: readonly [begin: string, again: string];
  readonly drawing: Drawing;
  /** The label of the canvas for those who do not see it. */
  readonly label: string;
  /** Elements beside the button, and under it. */
  readonly beside: readonly HTMLElement[];
  readonly below: readonly HTMLElement[];
  /** Loads parameters of the task besides; the message of an error is told. */
  prepare?(): Promise<object>;
  /** A press begins anew. */
  onBegin(): void;
  /** Returns false if the message changes nothing that is to be seen now. */
  onMessage(message: Message): boolean;
  /** Writes the words of the figure; `ended` is the word for the end, "" while the task runs. */
  show(ended: string): void;
}

/** Said where a link begins before the press. */
const LOST = "The link opens the figure before the press. It does not have what has been computed since.";
/** Seconds of a loop. */
const LOOP = 8;

/** Fills the host; `stop` ends the task with a word. */
export function pressed<Message>(
  host: HTMLElement,
  { still, poster }: MountOptions,
  { task: name, labels, drawing, label, beside, below, prepare, onBegin, onMessage, show }: Pressed<Message>,
): Living & { stop(word: string): void } {
  let task: Task | null = null;
  let view: CanvasView | null = null;
  let isSeen = false;

  const picture = element("div", { class: "host" }, poster.cloneNode(true));
  const settled = inPage(poster).then(
    (svg) => {
      if (view === null) picture.replaceChildren(svg);
    },
    // Away from the network the image stays.
    () => {},
  );
  const problem = element("p", { class: "problem", role: "alert", hidden: "" });
  const toggle = button(labels[0], () => (task === null ? void begin() : stop("stopped")), { class: "primary" });

  async function begin(): Promise<void> {
    problem.hidden = true;
    let more = {};
    if (prepare !== undefined) {
      toggle.disabled = true;
      try {
        more = await prepare();
      } catch (error) {
        return onProblem((error as Error).message);
      } finally {
        toggle.disabled = false;
      }
    }
    onBegin();
    if (view === null) {
      picture.replaceChildren();
      view = new CanvasView(picture, drawing, label);
    }
    const parameters: PictureParameters = { pictureMs: still ? PICTURES.still : PICTURES.moving };
    task = new Task(name, { ...parameters, ...more }, { onMessage: onNews, onProblem });
    if (isSeen) task.play();
    update("");
  }

  function stop(word: string): void {
    task?.stop();
    task = null;
    update(word);
  }

  function onNews(message: Message): void {
    const changes = onMessage(message);
    if (changes && task !== null) update("");
  }

  function onProblem(message: string): void {
    task = null;
    problem.textContent = message;
    problem.hidden = false;
    update("");
  }

  function update(ended: string): void {
    toggle.textContent = task !== null ? "Stop" : labels[view === null ? 0 : 1];
    show(ended);
    view?.update();
  }

  host.append(picture, element("div", { class: "controls" }, toggle, ...beside), problem, ...below);
  return {
    play() {
      isSeen = true;
      task?.play();
    },
    rest() {
      isSeen = false;
      task?.rest();
    },
    settled,
    lost: () => (view === null ? null : LOST),
    get film() {
      return task === null ? undefined : () => LOOP;
    },
    stop,
  };
}
