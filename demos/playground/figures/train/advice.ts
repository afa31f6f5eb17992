/** Two sentences on what one is looking at, and what to try next. */
import { count, significant } from "../../draw/numbers.ts";
import { nanojoules } from "../../model/costs.ts";
import type { Detail, Frame, Setup } from "./protocol.ts";

export function advice(frame: Frame, setup: Setup, detail: Detail | null, classNames: readonly string[]): string {
  const { config } = setup;
  if (!frame.fromSeed)
    return "These weights came from a file. Train goes on from them; Reset starts again from the seed.";
  if (frame.shown !== frame.steps) {
    return `These are the weights as they were at step ${count(frame.shown)}. Move the slider to the right end to come back to now.`;
  }
  if (frame.steps === 0) {
    return (
      "Nothing is learned yet: a sample enters at the top, chance has set the weights that pass its spikes on, and the readout knows nothing. " +
      "Train, or the space bar, starts and stops it: watch the rasters and the map change."
    );
  }
  const silent = detail?.activity.spikes.slice(1).findIndex((spikes) => spikes < 0.5) ?? -1;
  if (silent >= 0) {
    return (
      `Layer ${silent + 1} hardly fires, so nothing reaches the readout. ` +
      "Lower the threshold, raise β, or take a surrogate of lower steepness, whose gradient reaches quiet neurons."
    );
  }
  const accuracy = detail?.accuracy ?? 0;
  if (accuracy < 0.9) {
    return (
      "The gradient passes where potentials lie near the threshold, the shaded band behind the neuron's trace. " +
      "Click a neuron in a raster to watch it."
    );
  }
  const { sample } = frame;
  if (sample.label >= 0 && sample.label !== sample.decision) {
    const taken = sample.decision < 0 ? "neither class" : `“${classNames[sample.decision]}”`;
    return (
      `This sample is taken for ${taken}, but it is “${classNames[sample.label]}”. ` +
      "Play it in slow motion to see where the readout changes its mind."
    );
  }
  const next =
    config.encode === "poisson"
      ? "the time of one spike as the code"
      : "random spikes as the code, or fewer time steps";
  if (detail === null) return `It has learned. Try ${next}.`;
  const { spikes, onePass } = detail.activity.costs;
  return (
    `It has learned. A sample takes ${count(spikes.additions)} additions and ${count(spikes.multiplications)} multiplications, ` +
    `${significant(nanojoules(spikes))} nJ; one pass of a network without spikes takes ${count(onePass.additions)} of both, ` +
    `${significant(nanojoules(onePass))} nJ. Try ${next}.`
  );
}
