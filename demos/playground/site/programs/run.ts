/** The page's side of a program that runs: each run has a worker of its own, which ends with it. */

/** A program that prints more is ended. */
const MOST_PRINTED = 100_000;

/** Names that programs import, with the files of the site; the build writes them. */
declare const __ENTRIES__: Readonly<Record<string, string>>;

export interface Order {
  readonly program: string;
  /** Addresses of the modules that it may import, by their names. */
  readonly addresses: Readonly<Record<string, string>>;
}

export type Answer =
  /** The modules that the program imports are loaded. */
  | { readonly kind: "begin" }
  | { readonly kind: "print"; readonly text: string }
  /** The program is over; the text tells the error that ended it. */
  | { readonly kind: "end"; readonly problem: string }
  /** The modules do not load. */
  | { readonly kind: "absent" };

export interface RunOptions {
  /** A program that takes longer is ended: it may never end by itself. */
  readonly limitMs: number;
  onPrint(text: string): void;
  /** The program is over, by itself or by something else; the words say by what. */
  onEnd(words: string): void;
}

const ABSENT = "The package does not load: the network may be away, or the page has been renewed. Reload the page.";

let stopCurrent: ((words: string) => void) | null = null;

/**
 * Runs a program; returns what stops it. A page runs one program at a time, so that another one ends it. What it prints after its last line,
 * as by a timer, is heard until then.
 */
export function run(program: string, root: string, { limitMs, onPrint, onEnd }: RunOptions): () => void {
  stopCurrent?.("Stopped");
  const worker = new Worker(new URL("./program.ts", import.meta.url), { type: "module" });
  let limit: ReturnType<typeof setTimeout> | undefined;
  let printed = 0;
  let isOver = false;
  /** Messages that the worker sent before its end may still arrive. */
  let isStopped = false;

  function end(words: string): void {
    if (!isOver) onEnd(words);
    isOver = true;
  }
  function stop(words: string): void {
    isStopped = true;
    worker.terminate();
    clearTimeout(limit);
    stopCurrent = null;
    end(words);
  }

  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    if (isStopped) return;
    if (data.kind === "begin") limit = setTimeout(() => stop(`Stopped after ${limitMs / 1000} s`), limitMs);
    else if (data.kind === "absent") stop(ABSENT);
    else {
      const text = data.kind === "print" ? data.text : data.problem;
      if (text !== "") onPrint(text.slice(0, MOST_PRINTED - printed));
      printed += text.length;
      if (printed > MOST_PRINTED) stop(`Stopped: it has printed more than ${MOST_PRINTED} characters`);
      else if (data.kind === "end") end(data.problem === "" ? "Ran" : "Ended by an error");
    }
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    stop(ABSENT);
  });
  const addresses = Object.fromEntries(
    Object.entries(__ENTRIES__).map(([name, path]) => [name, new URL(root + path, location.href).href]),
  );
  worker.postMessage({ program, addresses } satisfies Order);
  stopCurrent = stop;
  return () => stop("Stopped");
}
