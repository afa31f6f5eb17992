/** A box of text without ink over the same text in colours. */
import { element, replaceChanged } from "./dom.ts";

export class TextBox {
  readonly node: HTMLElement;
  readonly box: HTMLTextAreaElement;
  private readonly ink = element("pre", { "aria-hidden": "true" });

  /** `onType` hears of the text after each key; attributes say what the text is. */
  constructor(onType: (text: string) => void, attributes: Record<string, string>) {
    this.box = element("textarea", {
      autocapitalize: "off",
      autocomplete: "off",
      autocorrect: "off",
      spellcheck: "false",
      wrap: "off",
      ...attributes,
    });
    this.box.addEventListener("input", () => onType(this.box.value));
    this.box.addEventListener("scroll", () => {
      this.ink.scrollLeft = this.box.scrollLeft;
    });
    this.node = element("div", { class: "text" }, this.ink, this.box);
  }

  /** Shows a text, and the same in its colours. */
  show(text: string, ...colored: (Node | string)[]): void {
    if (this.box.value !== text) this.box.value = text;
    this.box.rows = text.split("\n").length;
    // The line behind a last line break has a height too.
    replaceChanged(this.ink, [...colored, "\n"]);
  }
}
