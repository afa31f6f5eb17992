/** The script of every page of the site: the look, the search, and the list of pages on a phone. */

const root = document.body.dataset.root ?? "./";

const isDark = (): boolean => {
  const { theme } = document.documentElement.dataset;
  return theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
};

document.querySelector("[data-theme-button]")?.addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  document.dispatchEvent(new Event("themechange"));
});

// A page without a figure loads nothing of figures.
if (document.querySelector("snn-figure") !== null) {
  void import("../figures/frame.ts").then(({ defineFigures }) => defineFigures());
}

// Beside a wide text the list of pages is open, above a narrow one it opens at a press.
const list = document.querySelector<HTMLDetailsElement>("details.pages");
const wide = matchMedia("(min-width: 1024px)");
const follow = (): void => {
  if (list !== null) list.open = wide.matches;
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

declare const __OFFLINE__: boolean;
if (__OFFLINE__) navigator.serviceWorker?.register(`${root}offline.js`).catch(() => {});
