/** A program of a page that runs and that one may edit; the text below it becomes what it prints. */
import { TextBox } from "../../ui/text-box.ts";
import { run } from "./run.ts";
import { withoutTypes } from "./source.ts";

/** Milliseconds that a program may take, unless its block says others, as blocks of a test do. */
const LIMIT_MS = 10_000;

/** The parts below a program. */
export interface Tools {
  readonly copy: HTMLButtonElement;
  readonly edit: HTMLButtonElement;
  readonly run: HTMLButtonElement;
  readonly status: HTMLElement;
}

export class Runnable {
  private readonly program: HTMLElement;
  private readonly tools: Tools;
  private readonly root: string;
  /** The block of the page, and the program in JavaScript. */
  private readonly shown: HTMLElement;
  private readonly plain: string;
  /** Lines of the program in the colours of the page, as HTML. */
  private readonly colored: readonly string[];
  /** Where the page says what the program prints, and what it says. */
  private readonly output: HTMLElement;
  private readonly said: string;
  private text: TextBox | null = null;
  private stop: (() => void) | null = null;

  constructor(program: HTMLElement, tools: Tools, root: string) {
    this.program = program;
    this.tools = tools;
    this.root = root;
    this.shown = program.querySelector("pre") as HTMLElement;
    const code = this.shown.firstElementChild as HTMLElement;
    this.plain = withoutTypes(code.textContent as string, program.dataset.types as string);
    this.colored = linesOf(code, this.plain);
    this.output = program.nextElementSibling?.firstElementChild as HTMLElement;
    this.said = this.output.textContent as string;
  }

  /** The program as the reader has edited it; null where it is that of the page. */
  get edited(): string | null {
    return this.text?.box.value ?? null;
  }

  /** Opens the program for typing; another press shows the page as it was. */
  edit(): void {
    const { tools, program, shown } = this;
    if (this.text !== null) {
      this.stop?.();
      this.text.node.replaceWith(shown);
      this.text = null;
      this.output.textContent = this.said;
      tools.status.textContent = "";
      tools.edit.textContent = "Edit";
      tools.edit.focus();
      return;
    }
    this.text = new TextBox((text) => this.show(text), { "aria-label": `${program.ariaLabel} in JavaScript` });
    const { node, box } = this.text;
    box.addEventListener("keydown", (event) => {
      // Tab goes on to the buttons, as everywhere on a page.
      if (event.key === "Escape") tools.run.focus();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.start();
      }
    });
    shown.replaceWith(node);
    this.show(this.plain);
    tools.edit.textContent = "Undo edits";
    box.focus();
    box.setSelectionRange(0, 0);
  }

  /** Runs the program, or stops it where it runs. */
  run(): void {
    if (this.stop === null) this.start();
    else this.stop();
  }

  private start(): void {
    const { output, tools } = this;
    this.stop?.();
    let isFirst = true;
    const print = (text: string): void => {
      output.textContent = isFirst ? text : output.textContent + text;
      isFirst = false;
    };
    tools.status.textContent = "Running …";
    tools.run.textContent = "Stop";
    output.dataset.stale = "";
    this.stop = run(this.edited ?? this.plain, this.root, {
      limitMs: Number(this.program.dataset.limit ?? LIMIT_MS),
      onPrint: print,
      onEnd: (words) => {
        if (isFirst) print("");
        delete output.dataset.stale;
        this.stop = null;
        tools.status.textContent = words;
        tools.run.textContent = "Run";
      },
    });
  }

  /** Shows the text in the box: lines at its beginning and at its end that are those of the page have their colours. */
  private show(text: string): void {
    const now = text.split("\n");
    const before = this.plain.split("\n");
    const least = Math.min(now.length, before.length);
    let head = 0;
    while (head < least && now[head] === before[head]) head++;
    let tail = 0;
    while (tail < least - head && now.at(-1 - tail) === before.at(-1 - tail)) tail++;
    const parts = [
      ...this.colored.slice(0, head).map(colored),
      ...now.slice(head, now.length - tail),
      ...this.colored.slice(before.length - tail).map(colored),
    ];
    this.text?.show(text, ...parts.flatMap((part, i) => (i === 0 ? [part] : ["\n", part])));
  }
}

/** A line of the page in its colours. */
function colored(html: string): HTMLElement {
  const line = document.createElement("span");
  line.innerHTML = html;
  return line;
}

/** The lines of a block of the page as HTML, with `plain` for its text, which is as long. */
function linesOf(code: HTMLElement, plain: string): string[] {
  const copy = code.cloneNode(true) as HTMLElement;
  const words = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
  let at = 0;
  for (let word = words.nextNode() as Text | null; word !== null; word = words.nextNode() as Text | null) {
    const { length } = word.data;
    word.data = plain.slice(at, at + length);
    at += length;
  }
  return copy.innerHTML.split("\n");
}
