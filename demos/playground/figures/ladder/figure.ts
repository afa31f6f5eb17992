/** The race on a page: a press lets all rungs train the toy in the worker, each for the same time, until the next press. */
import { element } from "../../ui/dom.ts";
import type { Mount } from "../figure.ts";
import { pressed } from "../pressed.ts";
import { emptyRace, type Race, sentenceOf } from "./model.ts";
import { paintRace, raceHeight } from "./paint.ts";

/** A race ends after so many seconds of each rung. */
const SECONDS = 20;

export const mount: Mount = (host, options) => {
  let race = emptyRace();
  const time = element("p", { class: "time" }, "The picture is of the run that is kept.");
  const sentence = element("p", { class: "sentence", role: "status" });
  const figure = pressed<Race>(host, options, {
    task: "ladder",
    labels: ["Race", "Race again"],
    drawing: {
      heightFor: raceHeight,
      paint: (pen, width, _height, palette) => paintRace(pen, race, width, palette),
    },
    label: "Steps a second of each rung, on a logarithmic axis",
    beside: [time],
    below: [sentence],
    onBegin() {
      race = emptyRace();
    },
    onMessage(message) {
      race = message;
      if (leastSeconds(race) >= SECONDS) figure.stop("done");
      return true;
    },
    show(ended) {
      time.textContent = `${leastSeconds(race).toFixed(1)} s for each rung${ended === "" ? "" : ` · ${ended}`}`;
      sentence.textContent = sentenceOf(race);
    },
  });
  return figure;
};

const leastSeconds = ({ lanes }: Race): number => Math.min(...lanes.map(({ ms }) => ms)) / 1000;
