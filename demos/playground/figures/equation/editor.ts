/** A text of equations to type in, in the colours of their quantities. */
import { element } from "../../ui/dom.ts";
import { TextBox } from "../../ui/text-box.ts";
import { wordsOf } from "./language.ts";
import type { Problem } from "./reader.ts";
import type { Roles } from "./roles.ts";

/** Signs that few keyboards have. */
const SIGNS = [..."βθτρκω·²′≥√σ"];

export class Editor {
  readonly node: HTMLElement;
  private readonly text: TextBox;
  private readonly said = element("p", { class: "said", role: "status", id: "equation-said" });

  /** `onType` hears of the text after each key. */
  constructor(onType: (text: string) => void) {
    this.text = new TextBox(onType, {
      "aria-label": "Equations of one time step",
      "aria-describedby": "equation-said",
    });
    const signs = SIGNS.map((sign) => {
      const key = element("button", { type: "button", "aria-label": `insert ${sign}` }, sign);
      key.addEventListener("click", () => this.insert(sign));
      return key;
    });
    this.node = element(
      "div",
      { class: "editor" },
      this.text.node,
      element("div", { class: "signs", role: "group", "aria-label": "Signs" }, ...signs),
      this.said,
    );
  }

  /** Shows a text in its colours, with a problem underlined and told. */
  show(text: string, roles: Roles, problem: Problem | null): void {
    const { node, box } = this.text;
    if (problem === null) box.removeAttribute("aria-invalid");
    else box.setAttribute("aria-invalid", "true");
    node.classList.toggle("invalid", problem !== null);
    const message = problem === null ? "" : `${problem.message}.`;
    if (this.said.textContent !== message) this.said.textContent = message;
    this.text.show(text, ...marked(text, roles, problem));
  }

  private insert(sign: string): void {
    const { box } = this.text;
    box.setRangeText(sign, box.selectionStart, box.selectionEnd, "end");
    box.focus();
    box.dispatchEvent(new Event("input"));
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
