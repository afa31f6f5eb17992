/** Controls that read like a sentence: every word of a configuration is one. */
import {
  atShare,
  type ChoiceField,
  type Field,
  type Fields,
  type LevelField,
  type NumberField,
  nearest,
  nudged,
  shareOf,
} from "../state/fields.ts";
import type { Store } from "../state/store.ts";
import { element } from "./dom.ts";

/** A control within a sentence. */
interface Word<F extends Fields> {
  readonly field: keyof F & string;
  /** What it is, for those who cannot see the sentence. */
  readonly label: string;
  /** How a value reads in the sentence. */
  readonly show?: (value: never) => string;
  /** The largest value of a number as things are, where that is less than the field's. */
  readonly most?: () => number;
}

export type Part<F extends Fields> = string | Word<F> | Node;

type Ranged = NumberField | LevelField;

/** A paragraph of words and controls. */
export function prose<F extends Fields>(store: Store<F>, ...parts: Part<F>[]): HTMLParagraphElement {
  return filled(element("p", { class: "prose" }), store, parts);
}

/** A part of a paragraph that can be hidden. */
export function phrase<F extends Fields>(store: Store<F>, ...parts: Part<F>[]): HTMLElement {
  return filled(element("span"), store, parts);
}

function filled<F extends Fields, E extends HTMLElement>(paragraph: E, store: Store<F>, parts: readonly Part<F>[]): E {
  for (const [i, part] of parts.entries()) {
    if (part instanceof Node) paragraph.append(part);
    else if (typeof part === "string") paragraph.append(follows(parts, i) ? part.slice(1) : part);
    else if (follows(parts, i + 1)) {
      const [mark = ""] = parts[i + 1] as string;
      paragraph.append(element("span", { class: "kept" }, control(store, part), mark));
    } else paragraph.append(control(store, part));
  }
  return paragraph;
}

/** A text that begins with a punctuation mark, which stays on the line of the control before it. */
function follows<F extends Fields>(parts: readonly Part<F>[], i: number): boolean {
  const [before, part] = [parts[i - 1], parts[i]];
  const controlled = before !== undefined && typeof before !== "string" && !(before instanceof Node);
  return controlled && typeof part === "string" && /^[.,]/.test(part);
}

function control<F extends Fields>(store: Store<F>, { field: name, label, show, most }: Word<F>): HTMLElement {
  const field = store.fields[name] as Field;
  const format = (show ?? plain) as (value: unknown) => string;
  const get = (): unknown => store.values[name];
  const set = (value: unknown): void => {
    store.set({ [name]: value } as never);
  };
  if (field.kind === "list" || field.kind === "text")
    throw new TypeError(`prose: expected a number or a choice, got the ${field.kind} ${name}`);
  const made =
    field.kind === "choice"
      ? select(field, label, format, get as () => string, set)
      : scrub(() => limited(field, most), label, format, get as () => number, set);
  made.node.dataset.field = name;
  store.subscribe((changed) => {
    if (changed.has(name) || most !== undefined) made.refresh();
  });
  return made.node;
}

const limited = (field: Ranged, most?: () => number): Ranged =>
  field.kind === "number" && most !== undefined ? { ...field, max: Math.min(field.max, most()) } : field;

export interface Control {
  readonly node: HTMLElement;
  /** Shows the current value. */
  refresh(): void;
}

const plain = (value: unknown): string => String(value).replace("-", "−");

function select(
  field: ChoiceField,
  label: string,
  format: (value: unknown) => string,
  get: () => string,
  set: (value: string) => void,
): Control {
  const node = element("select", { class: "word", "aria-label": label });
  for (const value of field.of) node.append(element("option", { value }, format(value)));
  const refresh = (): void => {
    node.value = get();
    // Where `field-sizing` is not known, the box is as wide as the word.
    node.style.width = CSS.supports("field-sizing", "content") ? "" : `${format(get()).length + 3}ch`;
  };
  node.addEventListener("change", () => set(node.value));
  refresh();
  return { node, refresh };
}

/** Pixels of a drag from one end of the range to the other. */
const DRAG = 220;

/** Keys with which a typed number begins. */
const TYPED = /^[\d.,−-]$/;

/** A number to be dragged, nudged by arrows, or typed: at once, after Enter, or after a double click. */
export function scrub(
  range: () => Ranged,
  label: string,
  format: (value: number) => string,
  get: () => number,
  set: (value: number) => void,
): Control {
  const text = element("span", { class: "value" });
  const node = element("span", { class: "scrub", role: "slider", tabindex: "0", "aria-label": label }, text);
  const refresh = (): void => {
    const value = get();
    const field = range();
    const ends = field.kind === "level" ? [field.of[0], field.of.at(-1)] : [field.min, field.max];
    node.setAttribute("aria-valuemin", String(ends[0]));
    node.setAttribute("aria-valuemax", String(ends[1]));
    text.textContent = format(value);
    node.setAttribute("aria-valuenow", String(value));
    node.setAttribute("aria-valuetext", format(value));
    node.style.setProperty("--share", String(shareOf(field, value)));
  };
  dragging(node, range, get, set);
  node.addEventListener("keydown", (event) => {
    if (event.target !== node || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = range();
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (by !== undefined) set(nudged(field, get(), by));
    else if (event.key === "Home" || event.key === "End") set(atShare(field, event.key === "Home" ? 0 : 1));
    else if (event.key === "Enter") type(node, range, get, set);
    else if (TYPED.test(event.key)) type(node, range, get, set, event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  node.addEventListener("dblclick", () => type(node, range, get, set));
  refresh();
  return { node, refresh };
}

function dragging(node: HTMLElement, range: () => Ranged, get: () => number, set: (value: number) => void): void {
  let from: { x: number; share: number } | null = null;
  node.addEventListener("pointerdown", (event) => {
    from = { x: event.clientX, share: shareOf(range(), get()) };
    node.setPointerCapture(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const share = Math.min(1, Math.max(0, from.share + (event.clientX - from.x) / DRAG));
    const value = atShare(range(), share);
    if (value !== get()) set(value);
  });
  for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => (from = null));
}

/** Puts a box for typing over the number; with the key that has begun it instead of the value. */
function type(
  node: HTMLElement,
  range: () => Ranged,
  get: () => number,
  set: (value: number) => void,
  begun?: string,
): void {
  if (node.querySelector("input") !== null) return;
  const box = element("input", {
    type: "text",
    inputmode: "decimal",
    value: begun ?? String(get()),
    "aria-label": node.getAttribute("aria-label") as string,
  });
  let done = false;
  const close = (keep: boolean): void => {
    if (done) return;
    done = true;
    const value = Number(box.value.replace(",", ".").replace("−", "-"));
    box.remove();
    if (keep && box.value.trim() !== "" && Number.isFinite(value)) set(nearest(range(), value));
    node.focus();
  };
  box.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") close(true);
    if (event.key === "Escape") close(false);
  });
  box.addEventListener("blur", () => close(true));
  node.append(box);
  if (begun === undefined) box.select();
  else {
    box.focus();
    box.setSelectionRange(begun.length, begun.length);
  }
}
