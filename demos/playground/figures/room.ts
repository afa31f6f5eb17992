/** Rooms of the playground as figures: the poster with a button, and at its press the room in a frame of its own. */
import { button, element } from "../ui/dom.ts";
import type { Mount } from "./figure.ts";

/** A figure that opens the room at an address of the playground, such as `coding?timesteps=20`; `title` names it for those who hear the page. */
export const roomAt =
  (address: string, title: string): Mount =>
  (host, { poster }) => {
    let frame: HTMLIFrameElement | null = null;
    let isSeen = false;
    const tell = (): void => frame?.contentWindow?.postMessage(isSeen ? "play" : "rest", location.origin);
    const open = button(
      "Open the room",
      () => {
        const src = `${document.body.dataset.root}play/?embed=1#/${address}`;
        frame = element("iframe", { src, title });
        frame.addEventListener("load", tell);
        host.replaceChildren(frame, close);
        frame.focus({ preventScroll: true });
        frame.scrollIntoView();
      },
      { class: "primary" },
    );
    const close = button("Close the room", () => {
      frame = null;
      host.replaceChildren(poster, open);
      open.focus();
    });
    host.classList.add("figure-room");
    host.append(poster, open);
    return {
      play() {
        isSeen = true;
        tell();
      },
      rest() {
        isSeen = false;
        tell();
      },
    };
  };
