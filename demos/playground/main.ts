/** The page: four rooms in one bar, each with its own address. */

import type { Room } from "./rooms/room.ts";
import { themeChanged } from "./ui/canvas.ts";
import { cursor } from "./ui/cursor.ts";
import { ensureLanguage } from "./ui/language.ts";

/** What a room needs is loaded when it is opened. */
const rooms: Record<string, () => Promise<Room>> = {
  neuron: async () => new (await import("./rooms/neuron.ts")).NeuronRoom(),
  coding: async () => new (await import("./rooms/coding.ts")).CodingRoom(),
  train: async () => new (await import("./rooms/train.ts")).TrainRoom(),
  draw: async () => new (await import("./rooms/draw.ts")).DrawRoom(),
};
const FIRST = "train";

const NOT_LOADED =
  "This room does not load: the network may be away, or the page has been renewed. Reload the page, or open another room.";

const stage = document.querySelector("main") as HTMLElement;
const opened = new Map<string, Promise<Room>>();
let current: { name: string; room: Room } | null = null;
let writing: ReturnType<typeof setTimeout> | undefined;

/** In a frame of another page one room stands alone, without the bar, and computes only while it is seen. */
const isEmbedded = new URLSearchParams(location.search).get("embed") === "1";
let isInView = true;
const isSeen = (): boolean => !isEmbedded || (isInView && document.visibilityState === "visible");

/** `#/train?data=xor` → train, data=xor. */
function readAddress(): { name: string; query: string } {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { name: path in rooms ? path : FIRST, query };
}

const addressOf = (name: string, query: string): string => `#/${name}${query === "" ? "" : `?${query}`}`;

async function enter(): Promise<void> {
  // What was to be written belongs to the address before.
  clearTimeout(writing);
  const { name, query } = readAddress();
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  let loading = opened.get(name);
  if (loading === undefined) {
    loading = (rooms[name] as () => Promise<Room>)();
    opened.set(name, loading);
  }
  let room: Room;
  try {
    room = await loading;
  } catch (error) {
    opened.delete(name);
    if (readAddress().name !== name) return;
    // A file that is not there is a TypeError; the engine says what it misses: WebAssembly SIMD, or the permission to compile it.
    const message = document.createElement("p");
    message.className = "problem";
    message.setAttribute("role", "alert");
    message.textContent = error instanceof Error && !(error instanceof TypeError) ? error.message : NOT_LOADED;
    stage.replaceChildren(message);
    // The room before is no longer on the page: it can be opened again.
    current?.room.close();
    current = null;
    return;
  }
  // Another room may have been asked for in the meantime.
  if (readAddress().name !== name) return;
  if (current?.room !== room) {
    current?.room.close();
    cursor.set(null);
    stage.replaceChildren(room.node);
    current = { name, room };
    room.onChange = () => remember(name, room);
  }
  // A link of the bar, without a query, goes back to a room as it was left.
  room.open(query === "" ? room.query() : query);
  if (!isSeen()) room.close();
  remember(name, room);
  document.body.dataset.room = name;
}

/** Writes the configuration into the address, without a new entry of the history. */
function remember(name: string, room: Room): void {
  clearTimeout(writing);
  writing = setTimeout(() => {
    // The address may name another room already, of which the page hears a moment later.
    const stays = current?.room === room && readAddress().name === name;
    if (stays) history.replaceState(null, "", addressOf(name, room.query()));
  }, 120);
}

addEventListener("hashchange", () => void enter());

document.querySelector("[data-action=share]")?.addEventListener("click", async (event) => {
  if (current === null) return;
  clearTimeout(writing);
  const address = addressOf(current.name, current.room.shareQuery());
  history.replaceState(null, "", address);
  const button = event.currentTarget as HTMLButtonElement;
  const missing = current.room.missing();
  if (missing !== null) tell(missing);
  // Without the permission to write there, the address bar has it.
  const copied = await navigator.clipboard?.writeText(location.href).then(
    () => true,
    () => false,
  );
  button.textContent = copied ? "Link copied" : "Link in the address bar";
  setTimeout(() => (button.textContent = "Share"), 2000);
});

const told = document.querySelector(".told") as HTMLElement;
let telling: ReturnType<typeof setTimeout> | undefined;

/** Says something at the foot of the page, for a while. */
function tell(text: string): void {
  clearTimeout(telling);
  told.textContent = text;
  telling = setTimeout(() => (told.textContent = ""), 10_000);
}

const dark = matchMedia("(prefers-color-scheme: dark)");
function applyTheme(): void {
  const chosen = (isEmbedded ? localStorage : sessionStorage).getItem("theme");
  document.documentElement.dataset.theme = chosen ?? (dark.matches ? "dark" : "light");
  themeChanged();
}
dark.addEventListener("change", applyTheme);
document.querySelector("[data-action=theme]")?.addEventListener("click", () => {
  const now = document.documentElement.dataset.theme;
  sessionStorage.setItem("theme", now === "dark" ? "light" : "dark");
  applyTheme();
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || current === null) return;
  const target = event.target as HTMLElement;
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName);
  const pressing = ["BUTTON", "A", "SUMMARY"].includes(target.tagName);
  if (typing || (pressing && event.key === " ")) return;
  const { play, step, reset } = current.room.keys;
  const room = Object.keys(rooms)[Number(event.key) - 1];
  if (event.key === " ") play();
  else if (event.key === "ArrowRight") step();
  else if (event.key === "R" && event.shiftKey) reset();
  else if (room !== undefined && event.key !== " " && !isEmbedded) location.hash = `#/${room}`;
  else return;
  event.preventDefault();
});

/** Once all is there, the built page is kept for times without a network, where the browser lets it. */
declare const __OFFLINE__: string;
addEventListener("load", () => {
  if (__OFFLINE__ !== "") navigator.serviceWorker?.register(__OFFLINE__).catch(() => {});
});

/** A room that is out of sight rests. */
function follow(): void {
  if (current === null) return;
  const { room } = current;
  if (isSeen()) room.open(room.query());
  else {
    room.close();
    cursor.set(cursor.share);
  }
}

if (isEmbedded) {
  document.documentElement.dataset.embed = "";
  // The page around has a main part of its own.
  stage.ariaLabel = "Room";
  document.addEventListener("visibilitychange", follow);
  // The page around knows whether its frame is in view, and keeps the look.
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || (data !== "play" && data !== "rest")) return;
    isInView = data === "play";
    follow();
  });
  addEventListener("storage", applyTheme);
}

ensureLanguage();
applyTheme();
void enter();
