/** An element with attributes and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function button(label: string, onPress: () => void, attributes: Record<string, string> = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", onPress);
  return made;
}

/** Replaces the children of a node. Those at both ends that are equal to the new ones remain, so the page lays out only the others. */
export function replaceChanged(parent: Node, children: readonly (Node | string)[]): void {
  const old = [...parent.childNodes];
  const next = children.map((child) => (typeof child === "string" ? document.createTextNode(child) : child));
  const isSame = (i: number): boolean => old.at(i)?.isEqualNode(next.at(i) ?? null) === true;
  const most = Math.min(old.length, next.length);
  let [before, after] = [0, 0];
  while (before < most && isSame(before)) before++;
  while (before + after < most && isSame(-1 - after)) after++;
  const end = old[old.length - after] ?? null;
  for (const node of old.slice(before, old.length - after)) parent.removeChild(node);
  for (const node of next.slice(before, next.length - after)) parent.insertBefore(node, end);
}

/** Hands a file to the browser's downloads. */
export function download(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A picture under its title and a sentence on how to read it. */
export function figure(title: string, reading: string | Node, ...content: Node[]): HTMLElement {
  const words = typeof reading === "string" ? element("span", {}, reading) : reading;
  const caption = element("figcaption", {}, element("strong", {}, title), words);
  return element("figure", {}, caption, ...content);
}

/** A number with what it counts; `name` is how tests find it. */
export function reading(label: string, value: string, name: string): HTMLElement {
  return element(
    "span",
    { class: "reading" },
    element("b", { "data-figure": name }, value),
    element("small", {}, label),
  );
}
