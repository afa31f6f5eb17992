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
import { button, element } from "./dom.ts";

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

/** Pixels of a drag from one end of the range to the other, and those of a hand that means to tap. */
const [DRAG, TAP] = [220, 4];
/** Pixels between an open number and the edge of the window. */
const EDGE = 8;

/** Keys with which a typed number begins. */
const TYPED = /^[\d.,−-]$/;

const endsOf = (field: Ranged): (number | undefined)[] =>
  field.kind === "level" ? [field.of[0], field.of.at(-1)] : [field.min, field.max];

/** A number to be dragged, nudged by arrows, typed at once, or opened by a tap or Enter. */
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
    const ends = endsOf(field);
    node.setAttribute("aria-valuemin", String(ends[0]));
    node.setAttribute("aria-valuemax", String(ends[1]));
    text.textContent = format(value);
    node.setAttribute("aria-valuenow", String(value));
    node.setAttribute("aria-valuetext", format(value));
    node.style.setProperty("--share", String(shareOf(field, value)));
  };
  dragging(node, range, get, set, (byFinger) => unfold(node, range, get, set, { byFinger }));
  node.addEventListener("keydown", (event) => {
    if (event.target !== node || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = range();
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (by !== undefined) set(nudged(field, get(), by));
    else if (event.key === "Home" || event.key === "End") set(atShare(field, event.key === "Home" ? 0 : 1));
    else if (event.key === "Enter") unfold(node, range, get, set);
    else if (TYPED.test(event.key)) unfold(node, range, get, set, { begun: event.key });
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  refresh();
  return { node, refresh };
}

function dragging(
  node: HTMLElement,
  range: () => Ranged,
  get: () => number,
  set: (value: number) => void,
  onTap: (byFinger: boolean) => void,
): void {
  let from: { x: number; share: number } | null = null;
  let moved = false;
  node.addEventListener("pointerdown", (event) => {
    from = { x: event.clientX, share: shareOf(range(), get()) };
    moved = false;
    node.setPointerCapture(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => {
    if (from === null) return;
    moved ||= Math.abs(event.clientX - from.x) > TAP;
    if (!moved) return;
    const share = Math.min(1, Math.max(0, from.share + (event.clientX - from.x) / DRAG));
    const value = atShare(range(), share);
    if (value !== get()) set(value);
  });
  for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => (from = null));
  // After a tap the browser gives the focus to the number; what the click opens takes it from there.
  node.addEventListener("click", (event) => {
    if (!moved) onTap((event as PointerEvent).pointerType === "touch");
  });
}

/** Opens the number below itself: its name and its range, a box to type in, and what takes a step down or up. `begun` is the key that has begun a number. */
function unfold(
  node: HTMLElement,
  range: () => Ranged,
  get: () => number,
  set: (value: number) => void,
  { begun, byFinger = false }: { readonly begun?: string; readonly byFinger?: boolean } = {},
): void {
  if (node.nextElementSibling?.classList.contains("dial") === true) return;
  const label = node.getAttribute("aria-label") as string;
  const box = element("input", {
    type: "text",
    inputmode: "decimal",
    value: begun ?? String(get()),
    "aria-label": label,
  });
  const keep = (): void => {
    const value = Number(box.value.replace(",", ".").replace("−", "-"));
    if (box.value.trim() !== "" && Number.isFinite(value)) set(nearest(range(), value));
  };
  const step = (sign: string, by: number, name: string): HTMLButtonElement => {
    const press = (): void => {
      keep();
      set(nudged(range(), get(), by));
      box.value = String(get());
    };
    return button(sign, press, { "aria-label": `${name} ${label}` });
  };
  const row = element("span", { class: "steps" }, step("−", -1, "less"), box, step("+", 1, "more"));
  const words = `${label}, ${endsOf(range()).map(plain).join(" to ")}`;
  const dial = element("span", { class: "dial", role: "group", "aria-label": label, tabindex: "-1" }, words, row);
  let done = false;
  const close = (isKept: boolean): void => {
    if (done) return;
    done = true;
    if (isKept) keep();
    const isWithin = dial.contains(document.activeElement);
    dial.remove();
    if (isWithin) node.focus();
  };
  dial.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close(false);
    else if (event.key === "Enter" && event.target === box) close(true);
  });
  dial.addEventListener("focusout", ({ relatedTarget }) => {
    if (!dial.contains(relatedTarget as Node | null)) close(true);
  });
  node.after(dial);
  // Below the number, within the window.
  const { left, width } = dial.getBoundingClientRect();
  const wanted = Math.min(node.getBoundingClientRect().left, document.documentElement.clientWidth - width - EDGE);
  dial.style.marginLeft = `${wanted - left}px`;
  if (begun !== undefined) {
    box.focus();
    box.setSelectionRange(begun.length, begun.length);
  } else if (byFinger) dial.focus();
  else {
    box.focus();
    box.select();
  }
}
