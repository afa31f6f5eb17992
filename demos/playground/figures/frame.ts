/**
 * `<snn-figure name>`: a figure on a page, which loads when it comes near and rests when it is out of sight. The hash of the page is the
 * state of its first figure, or of the one that it names: `#figure=stdp-window&before=-8`. With `?still` figures compute their states, draw
 * them once and stop.
 */
import { CANVAS_FONT } from "../draw/pen.ts";
import { queryOf } from "../ui/address.ts";
import { paintFresh, themeChanged } from "../ui/canvas.ts";
import { button, element } from "../ui/dom.ts";
import type { Living, Mount } from "./figure.ts";

/** How far from the window a figure begins to load. */
const NEAR = "400px";

const NOT_LOADED = "This figure does not load: the network may be away, or the page has been renewed. Reload the page.";

/** Both weights of the type in which canvases write. */
const letters = (): Promise<unknown> =>
  Promise.allSettled([400, 600].map((weight) => document.fonts.load(`${weight} 12px ${CANVAS_FONT}`)));

const isStopped = new URLSearchParams(location.search).has("still");

/** The first figure of the page, which links need not name. */
const first = document.querySelector("snn-figure");

const linked = (): URLSearchParams => new URLSearchParams(queryOf(location.hash) ?? "");

/** The figure that the address of the page is about. */
const meant = (): Element | null =>
  document.querySelector(`snn-figure[name="${CSS.escape(linked().get("figure") ?? "")}"]`) ?? first;

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

  private get name(): string {
    return this.getAttribute("name") as string;
  }

  private async load(): Promise<void> {
    const { name } = this;
    const host = element("div", { class: `figure figure-${name}` });
    const poster = this.firstElementChild as Element;
    try {
      const [{ mount }] = (await Promise.all([import(`./${name}/figure.ts`), letters()])) as [
        { mount: Mount },
        unknown,
      ];
      const still = isStopped || matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.living = await mount(host, { still, poster, state: this.state() });
    } catch (error) {
      // A file that is not there is a TypeError; the engine says what it misses: WebAssembly SIMD, or the permission to compile it.
      this.tell(error instanceof Error && !(error instanceof TypeError) ? error.message : NOT_LOADED);
      return;
    }
    this.replaceChildren(host, this.shareButton(host, this.living, poster.querySelector("img")?.alt ?? name));
    paintFresh();
    this.dataset.lives = "";
    if (isStopped) return this.drawOnce(this.living);
    new IntersectionObserver((entries) => {
      this.isSeen = entries.at(-1)?.isIntersecting === true;
      this.follow();
    }).observe(this);
    document.addEventListener("visibilitychange", () => this.follow());
  }

  /** The state in the address of the page, where it is about this figure. */
  private state(): string {
    const query = linked();
    query.delete("figure");
    return meant() === this ? String(query) : "";
  }

  private async drawOnce(living: Living): Promise<void> {
    living.play();
    await living.settled;
    living.rest();
    // Canvases paint their changes in the next frame.
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    this.dataset.still = "";
  }

  private shareButton(host: HTMLElement, living: Living, title: string): HTMLButtonElement {
    const prefix = this === first ? "" : `figure=${this.name}`;
    return button(
      "Share",
      async () => {
        try {
          const { share } = await import("./share.ts");
          share({ name: this.name, prefix, title, host, living });
        } catch {
          this.tell(NOT_LOADED);
        }
      },
      { class: "share", "aria-haspopup": "dialog", "aria-label": `Share: ${title}` },
    );
  }

  private tell(problem: string): void {
    this.append(element("p", { class: "problem", role: "alert" }, problem));
  }

  private follow(): void {
    if (this.isSeen && document.visibilityState === "visible") this.living?.play();
    else this.living?.rest();
  }
}

/** Brings the figures of this page to life. */
export function defineFigures(): void {
  // In a frame of another page the first figure stands alone.
  const figure = meant();
  if (document.documentElement.dataset.embed !== undefined && figure !== first)
    document.querySelector("main")?.prepend(figure as Element);
  customElements.define("snn-figure", FigureElement);
  document.addEventListener("themechange", themeChanged);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);
}
