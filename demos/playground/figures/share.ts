/** The menu of a figure's Share button: a link, embed code, pictures and loops. The first press of a button loads this file. */
import { type Moving, paintMoment } from "../draw/moving.ts";
import { currentPalette } from "../draw/palette.ts";
import { CanvasPen, type Pen, PlacedPen, SvgPen } from "../draw/pen.ts";
import { viewOf } from "../ui/canvas.ts";
import { Clock } from "../ui/clock.ts";
import { button, download, element } from "../ui/dom.ts";
import type { Living } from "./figure.ts";

export interface Shared {
  readonly name: string;
  /** Names the figure in a link, where it is not the first one of its page. */
  readonly prefix: string;
  /** The description of the figure. */
  readonly title: string;
  readonly host: HTMLElement;
  readonly living: Living;
}

/** Loops: width, and height with the foot. */
const SQUARE = [720, 720] as const;
const WIDE = [1280, 720] as const;
/** Caption and address at the end of a loop. */
const FOOT = 40;
/** Around the figure in pictures and loops. */
const MARGIN = 20;
/** Kinds of films; a browser without one of them records none. */
const KINDS = ["video/webm", "video/mp4"];
/** Eight seconds are less than four megabytes. */
const BITS_A_SECOND = 3_500_000;

/** Opens the menu. */
export function share({ name, prefix, title, host, living }: Shared): void {
  const status = element("output");
  const field = element("textarea", { readonly: "", hidden: "", rows: "4", "aria-label": "To be copied" });
  const shown = living.picture ?? host;
  const file = (ending: string): string => `jarvis-snn-${name}.${ending}`;
  const copy = async (text: string): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = "Copied.";
    } catch {
      // A browser may forbid it, and gives no clipboard to pages that came by http.
      status.textContent = "The browser does not copy it: please do.";
      field.hidden = false;
      field.value = text;
      field.select();
    }
  };
  const address = (search: string): string => {
    const query = [prefix, living.state?.() ?? ""].filter((part) => part !== "").join("&");
    return location.origin + location.pathname + search + (query === "" ? "" : `#${query}`);
  };
  const frame = (): string => {
    const made = element("iframe", {
      ...{ src: address("?embed=1"), width: String(host.clientWidth), height: String(host.clientHeight + 48) },
      ...{ title, loading: "lazy" },
    });
    made.style.border = "0";
    return made.outerHTML;
  };
  const loop = (label: string, size: readonly [number, number]): HTMLButtonElement => {
    return button(label, async () => {
      for (const each of loops) each.disabled = true;
      status.textContent = "Recording …";
      try {
        const film = await record(living, shown, size);
        download(file(film.type.split(/\W/)[1] as string), await film.arrayBuffer(), film.type);
        status.textContent = "";
      } catch {
        status.textContent = "The browser could not record it.";
      }
      for (const each of loops) each.disabled = false;
    });
  };
  const loops = mayRecord(living) ? [loop("Loop, square", SQUARE), loop("Loop, wide", WIDE)] : [];
  const words = [living.lost?.(), living.inNode?.()].filter((text) => typeof text === "string");
  const choices = element(
    "div",
    {},
    button("Copy link", () => copy(address(""))),
    ...words.map((text) => element("p", {}, text)),
    button("Copy embed code", () => copy(frame())),
    button("Picture (PNG)", async () => download(file("png"), await png(shown), "image/png")),
    button("Picture (SVG)", () => download(file("svg"), svg(shown), "image/svg+xml")),
    ...loops,
    field,
    status,
    button("Close", () => dialog.close()),
  );
  const dialog = element("dialog", { class: "sharing", "aria-label": `Share: ${title}` }, choices);
  dialog.addEventListener("close", () => {
    dialog.remove();
    host.removeAttribute("data-shared");
  });
  // A click beside the menu has the dialog itself as its target.
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) dialog.close();
  });
  host.setAttribute("data-shared", "");
  host.after(dialog);
  dialog.showModal();
}

/** Elements that pictures omit: controls, words about controls, and words for readers who cannot see the picture. */
const CONTROLS = "button, select, textarea, .learning, .toolbar .prose, .unseen, svg";

/** Paints a part of the page: each canvas by its painter, then the words. */
function paintPart(pen: Pen, part: HTMLElement): void {
  const palette = currentPalette();
  const { left, top } = part.getBoundingClientRect();
  for (const canvas of part.querySelectorAll("canvas")) {
    const box = canvas.getBoundingClientRect();
    if (box.width > 0) viewOf(canvas)?.paintOn(new PlacedPen(pen, box.left - left, box.top - top), palette);
  }
  const words = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  const place = new PlacedPen(pen, -left, -top);
  for (let node = words.nextNode(); node !== null; node = words.nextNode()) {
    const parent = node.parentElement as HTMLElement;
    if (parent.closest(CONTROLS) === null && parent.checkVisibility())
      paintWords(place, node, getComputedStyle(parent));
  }
}

/** Where the baseline lies in the height of a word. */
const BASELINE = 0.78;

/** Paints a text of the page line by line. */
function paintWords(pen: Pen, node: Node, { color, fontSize, fontWeight, fontFamily }: CSSStyleDeclaration): void {
  const style = { color, size: Number.parseFloat(fontSize), bold: Number(fontWeight) >= 600, font: fontFamily };
  const range = document.createRange();
  let line = { text: "", x: 0, y: Number.NaN };
  const end = (): void => {
    if (line.text !== "") pen.text(line.x, line.y, line.text.trimEnd(), style);
  };
  for (const { 0: word, index } of (node.textContent ?? "").matchAll(/\S+\s*/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.trimEnd().length);
    const [box] = range.getClientRects();
    if (box === undefined) continue;
    const y = box.top + BASELINE * box.height;
    if (y === line.y) line.text += word;
    else {
      end();
      line = { text: word, x: box.left, y };
    }
  }
  end();
}

/** A figure that has not begun shows its poster. */
const posterIn = (part: HTMLElement): Element | null => part.querySelector(".host > svg");

function svg(part: HTMLElement): string {
  const poster = posterIn(part);
  if (poster !== null) return new XMLSerializer().serializeToString(poster);
  const pen = new SvgPen();
  paintPart(new PlacedPen(pen, MARGIN, MARGIN), part);
  return pen.document(part.clientWidth + 2 * MARGIN, part.clientHeight + 2 * MARGIN, currentPalette().paper);
}

/** Twice as many pixels as the page has. */
async function png(part: HTMLElement): Promise<ArrayBuffer> {
  const poster = posterIn(part);
  const canvas = element("canvas");
  const { clientWidth, clientHeight } = poster ?? part;
  canvas.width = 2 * (clientWidth + 2 * MARGIN);
  canvas.height = 2 * (clientHeight + 2 * MARGIN);
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = currentPalette().paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (poster === null) paintPart(new PlacedPen(new CanvasPen(context, 2), MARGIN, MARGIN), part);
  else {
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(svg(part))}`;
    await image.decode();
    context.drawImage(image, 2 * MARGIN, 2 * MARGIN, 2 * clientWidth, 2 * clientHeight);
  }
  return new Promise((resolve) => canvas.toBlob((blob) => resolve((blob as Blob).arrayBuffer())));
}

const kindOf = (): string | undefined => KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));

/** Whether the figure moves, for a reader who wants motion, in a browser that records canvases. */
const mayRecord = ({ film }: Living): boolean =>
  film !== undefined &&
  !matchMedia("(prefers-reduced-motion: reduce)").matches &&
  typeof MediaRecorder !== "undefined" &&
  "captureStream" in HTMLCanvasElement.prototype &&
  kindOf() !== undefined;

/** Records a round of a moving picture, or the figure as it moves on the page. */
async function record(living: Living, part: HTMLElement, [width, height]: readonly [number, number]): Promise<Blob> {
  const film = living.film?.() as number | Moving;
  const moving: Moving =
    typeof film === "number"
      ? {
          ...{ width: part.clientWidth, height: part.clientHeight, seconds: film },
          parts: [{ from: 0, until: Number.POSITIVE_INFINITY, paint: (pen) => paintPart(pen, part) }],
        }
      : film;
  const canvas = element("canvas");
  Object.assign(canvas, { width, height });
  const pen = new CanvasPen(canvas.getContext("2d") as CanvasRenderingContext2D, 1);
  const scale = Math.min((width - 2 * MARGIN) / moving.width, (height - FOOT - 2 * MARGIN) / moving.height);
  const [left, top] = [(width - scale * moving.width) / 2, (height - FOOT - scale * moving.height) / 2];
  const placed = new PlacedPen(pen, left, top, scale);
  const paint = (second: number): void => {
    const { paper, ink, muted } = currentPalette();
    pen.boxes([0, 0, width, height], paper);
    paintMoment(placed, moving, second);
    const style = { size: 16, color: ink, bold: true } as const;
    pen.text(MARGIN, height - 14, document.title.split(" · ")[0] as string, style);
    pen.text(width - MARGIN, height - 14, location.host + location.pathname, {
      ...style,
      ...{ color: muted, bold: false, align: "right" },
    });
  };
  paint(0);
  const type = kindOf() as string;
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: type, videoBitsPerSecond: BITS_A_SECOND });
  const pieces: Blob[] = [];
  recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
  const stopped = new Promise((tell) => recorder.addEventListener("stop", tell));
  recorder.start();
  let passed = 0;
  const clock = new Clock((ms) => {
    passed += ms / 1000;
    if (passed < moving.seconds) return paint(passed);
    clock.run(false);
    recorder.stop();
  });
  clock.run(true);
  await stopped;
  return new Blob(pieces, { type });
}
