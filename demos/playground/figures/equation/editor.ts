/** A text of equations to type in: a box of text without ink over the same text in colours. */
import { element } from "../../ui/dom.ts";
import { type Problem, wordsOf } from "./language.ts";
import type { Roles } from "./roles.ts";

/** Signs that few keyboards have. */
const SIGNS = [..."βθτρκω·²′≥√σ"];

export class Editor {
  readonly node: HTMLElement;
  private readonly box: HTMLTextAreaElement;
  private readonly ink = element("pre", { "aria-hidden": "true" });
  private readonly said = element("p", { class: "said", role: "status", id: "equation-said" });
  private readonly frame: HTMLElement;

  /** `onType` hears of the text after each key. */
  constructor(onType: (text: string) => void) {
    this.box = element("textarea", {
      "aria-label": "Equations of one time step",
      "aria-describedby": "equation-said",
      autocapitalize: "off",
      autocomplete: "off",
      autocorrect: "off",
      spellcheck: "false",
      wrap: "off",
    });
    this.box.addEventListener("input", () => onType(this.box.value));
    this.box.addEventListener("scroll", () => {
      this.ink.scrollLeft = this.box.scrollLeft;
    });
    this.frame = element("div", { class: "text" }, this.ink, this.box);
    const signs = SIGNS.map((sign) => {
      const key = element("button", { type: "button", "aria-label": `insert ${sign}` }, sign);
      key.addEventListener("click", () => this.insert(sign));
      return key;
    });
    this.node = element(
      "div",
      { class: "editor" },
      this.frame,
      element("div", { class: "signs", role: "group", "aria-label": "Signs" }, ...signs),
      this.said,
    );
  }

  /** Shows a text in its colours, with a problem underlined and told. */
  show(text: string, roles: Roles, problem: Problem | null): void {
    if (this.box.value !== text) this.box.value = text;
    this.box.rows = text.split("\n").length;
    if (problem === null) this.box.removeAttribute("aria-invalid");
    else this.box.setAttribute("aria-invalid", "true");
    this.frame.classList.toggle("invalid", problem !== null);
    const message = problem === null ? "" : `${problem.message}. The pictures show the last neuron that could be read.`;
    if (this.said.textContent !== message) this.said.textContent = message;
    // The line behind a last line break has a height too.
    this.ink.replaceChildren(...marked(text, roles, problem), "\n");
  }

  private insert(sign: string): void {
    this.box.setRangeText(sign, this.box.selectionStart, this.box.selectionEnd, "end");
    this.box.focus();
    this.box.dispatchEvent(new Event("input"));
  }
}

/** A text in the colours of its quantities. */
export const colored = (text: string, roles: Roles): (Node | string)[] =>
  wordsOf(text).map(({ text: word, name, isComment }) => {
    const role = isComment ? "comment" : roles.of(name);
    return role === null ? word : element("span", { class: `q-${role}` }, word);
  });

function marked(text: string, roles: Roles, problem: Problem | null): (Node | string)[] {
  if (problem === null) return colored(text, roles);
  const { from, to } = problem;
  const wrong = text.slice(from, to);
  // A place at the end of a line has a width too.
  const shown = /^\n?$/.test(wrong) ? ` ${wrong}` : wrong;
  return [
    ...colored(text.slice(0, from), roles),
    element("span", { class: "wrong" }, shown),
    ...colored(text.slice(to), roles),
  ];
}
