/** The buttons of programs. What runs them is loaded at a press. */
import { button, element } from "../../ui/dom.ts";
import type { Runnable, Tools } from "./runnable.ts";

const NOT_LOADED = "This does not load: the network may be away, or the page has been renewed. Reload the page.";

/** Copies a text; where a page may not, the program is selected, so that a key can. */
async function copy(text: string, program: HTMLElement, status: HTMLElement): Promise<void> {
  const isCopied = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  if (isCopied !== true) select(program);
  status.textContent = isCopied === true ? "Copied" : "Selected: a key copies it";
}

/** Selects a program, in its box where it is open for typing. */
function select(program: HTMLElement): void {
  const box = program.querySelector("textarea");
  if (box === null) return getSelection()?.selectAllChildren(program.querySelector("code") as Element);
  box.focus();
  box.select();
}

function addTools(program: HTMLElement, root: string): void {
  let runnable: Runnable | null = null;
  const load = async (): Promise<Runnable | null> => {
    try {
      const { Runnable } = await import("./runnable.ts");
      runnable ??= new Runnable(program, tools, root);
    } catch {
      tools.status.textContent = NOT_LOADED;
    }
    return runnable;
  };
  const shown = (): string => runnable?.edited ?? (program.querySelector("code")?.textContent as string);
  // What is loaded acts within the press: nothing is printed after Stop.
  const tools: Tools = {
    status: element("span", { role: "status" }),
    copy: button("Copy", () => copy(shown(), program, tools.status)),
    edit: button("Edit", async () => (runnable ?? (await load()))?.edit()),
    run: button("Run", async () => (runnable ?? (await load()))?.run(), { class: "primary" }),
  };
  const { status, copy: copies, edit, run } = tools;
  const isRunnable = program.dataset.types !== undefined;
  program.append(element("div", { class: "tools" }, status, copies, ...(isRunnable ? [edit, run] : [])));
}

/** Gives each program its buttons; `root` is the way to the root of the site. */
export function addToolsTo(programs: Iterable<HTMLElement>, root: string): void {
  let count = 0;
  for (const program of programs) {
    program.role = "group";
    program.ariaLabel = `Program ${++count}`;
    addTools(program, root);
  }
}
