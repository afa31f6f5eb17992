/** The search over sections of documents and public names. */
import MiniSearch, { type SearchResult } from "minisearch";
import options from "./search.json" with { type: "json" };

/** The most sections that are listed. */
const SHOWN = 12;

const results = document.createElement("ul");
results.className = "results";
results.setAttribute("role", "listbox");
results.id = "results";

let index: Promise<MiniSearch> | null = null;

async function load(root: string): Promise<MiniSearch> {
  const response = await fetch(`${root}assets/search.json`);
  if (!response.ok) throw new Error(`search: expected the index, got the status ${response.status}`);
  return MiniSearch.loadJSON(await response.text(), options);
}

function itemOf({ id, title, heading }: SearchResult, root: string): HTMLLIElement {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = root + id;
  link.textContent = heading === "" ? title : heading;
  const where = document.createElement("span");
  where.textContent = heading === "" ? (/^api\/([\w-]+)/.exec(id)?.[1] ?? "") : title;
  link.append(where);
  item.append(link);
  return item;
}

function tell(text: string): void {
  const item = document.createElement("li");
  item.textContent = text;
  results.replaceChildren(item);
}

/** Lists the sections for what the field holds. */
export async function show(input: HTMLInputElement, root: string): Promise<void> {
  index ??= load(root);
  if (results.parentElement === null) {
    input.after(results);
    input.setAttribute("aria-controls", results.id);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") results.replaceChildren();
      if (event.key === "Enter") results.querySelector<HTMLAnchorElement>("a")?.click();
      if (event.key === "ArrowDown") results.querySelector<HTMLAnchorElement>("a")?.focus();
    });
    results.addEventListener("keydown", ({ key, target }) => {
      const item = (target as HTMLElement).parentElement;
      const next =
        key === "ArrowDown" ? item?.nextElementSibling : key === "ArrowUp" ? item?.previousElementSibling : null;
      next?.querySelector("a")?.focus();
    });
  }
  const words = input.value;
  let sections: MiniSearch;
  try {
    sections = await index;
  } catch {
    index = null;
    tell("The index does not load: the network may be away.");
    return;
  }
  const found = sections.search(words, {
    prefix: true,
    fuzzy: 0.15,
    combineWith: "AND",
    boost: { title: 4, heading: 3 },
  });
  if (input.value !== words) return;
  if (words === "") results.replaceChildren();
  else if (found.length === 0) tell(`Nothing is found for “${words}”.`);
  else results.replaceChildren(...found.slice(0, SHOWN).map((each) => itemOf(each, root)));
}
