/** A poster within the page, which has the page's type; an image has the reader's. */
export async function inPage(poster: Element): Promise<Element> {
  const { currentSrc, alt } = poster.querySelector("img") as HTMLImageElement;
  const text = await (await fetch(currentSrc)).text();
  const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", alt);
  return svg;
}
