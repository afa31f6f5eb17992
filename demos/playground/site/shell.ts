/** The script of every page of the site: the look, the search, and the list of pages on a phone. */
import { serveOffline } from "../ui/offline.ts";
import { remember } from "../ui/remembered.ts";

const root = document.body.dataset.root ?? "./";

const isDark = (): boolean => {
  const { theme } = document.documentElement.dataset;
  return theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
};

document.querySelector("[data-theme-button]")?.addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  remember("theme", theme);
  document.dispatchEvent(new Event("themechange"));
});

// A page without a figure loads nothing of figures.
if (document.querySelector("snn-figure") !== null) {
  void import("../figures/frame.ts").then(({ defineFigures }) => defineFigures());
}

// Programs have buttons when the first one comes near.
const programs = document.querySelectorAll<HTMLElement>(".program");
const near = new IntersectionObserver(
  (entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    near.disconnect();
    void import("./programs/programs.ts").then(({ addToolsTo }) => addToolsTo(programs, root));
  },
  { rootMargin: "400px" },
);
for (const program of programs) near.observe(program);

// Beside a wide text the list of pages is open; above a narrow one, and above one that has the whole width, it opens at a press.
const list = document.querySelector<HTMLDetailsElement>("details.pages");
const wide = matchMedia("(min-width: 1024px)");
const follow = (): void => {
  if (list !== null) list.open = wide.matches && list.closest(".body") !== null;
};
wide.addEventListener("change", follow);
follow();
list?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });

const input = document.querySelector<HTMLInputElement>("[data-search]");
if (input !== null) {
  let search: Promise<typeof import("./search.ts")> | null = null;
  input.addEventListener("input", async () => {
    // The index is loaded at the first key.
    search ??= import("./search.ts");
    (await search).show(input, root);
  });
}

void serveOffline();
