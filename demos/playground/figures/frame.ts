/** `<snn-figure name>`: a figure on a page, which loads when it comes near and rests when it is out of sight. */
import { themeChanged } from "../ui/canvas.ts";
import { element } from "../ui/dom.ts";
import type { Living, Mount } from "./figure.ts";

/** How far from the window a figure begins to load. */
const NEAR = "400px";

const NOT_LOADED = "This figure does not load: the network may be away, or the page has been renewed. Reload the page.";

class FigureElement extends HTMLElement {
  private living: Living | null = null;
  private isSeen = false;

  connectedCallback(): void {
    const near = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting !== true) return;
        near.disconnect();
        void this.load();
      },
      { rootMargin: NEAR },
    );
    near.observe(this);
  }

  private async load(): Promise<void> {
    const name = this.getAttribute("name");
    const host = element("div", { class: `figure figure-${name}` });
    try {
      const { mount } = (await import(`./${name}/figure.ts`)) as { mount: Mount };
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.living = await mount(host, { still, poster: this.firstElementChild as Element });
    } catch (error) {
      // A file that is not there is a TypeError; the engine says what it misses: WebAssembly SIMD, or the permission to compile it.
      const text = error instanceof Error && !(error instanceof TypeError) ? error.message : NOT_LOADED;
      this.append(element("p", { class: "problem", role: "alert" }, text));
      return;
    }
    this.replaceChildren(host);
    this.dataset.lives = "";
    new IntersectionObserver((entries) => {
      this.isSeen = entries.at(-1)?.isIntersecting === true;
      this.follow();
    }).observe(this);
    document.addEventListener("visibilitychange", () => this.follow());
  }

  private follow(): void {
    if (this.isSeen && document.visibilityState === "visible") this.living?.play();
    else this.living?.rest();
  }
}

/** Brings the figures of this page to life. */
export function defineFigures(): void {
  customElements.define("snn-figure", FigureElement);
  document.addEventListener("themechange", themeChanged);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);
}
