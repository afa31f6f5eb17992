import { expect, test } from "vitest";
import { Credits, lentBy, reachOf, sentenceOf, slopesAt, THRESHOLD, WIDTHS } from "./model.ts";

const credits = new Credits();
const spikesBefore = (spikes: Float32Array, at: number): number[] =>
  [...spikes.keys()].filter((t) => spikes[t] === 1 && t < at);

test("the current makes the neuron fire, come near to the threshold for a while, and fire again", () => {
  const { spikes, membrane } = credits.at(0, 40);
  const times = [...spikes.keys()].filter((t) => spikes[t] === 1);
  expect(times.filter((t) => t < 30).length).toBeGreaterThan(1);
  expect(times.filter((t) => t >= 30 && t < 44)).toEqual([]);
  expect(times.filter((t) => t >= 44).length).toBeGreaterThan(1);
  expect(Math.max(...membrane.slice(30, 44))).toBeGreaterThan(0.7);
});

test("with the step as it is, no input has credit for a spike, and the credit for the membrane ends at the last spike", () => {
  for (const at of [20, 50, 64]) {
    const { spikes, ofMembrane, ofSpike } = credits.at(0, at);
    expect(ofSpike.every((value) => value === 0)).toBe(true);
    const last = spikesBefore(spikes, at).at(-1) as number;
    for (const [t, value] of ofMembrane.entries()) {
      if (t > at || t <= last) expect(value + 0).toBe(0);
      else expect(value).toBeCloseTo(0.9 ** (at - t), 5);
    }
  }
});

test("a wider slope lets credit pass the last spike, and the spike gets credit", () => {
  const { spikes, ofMembrane, ofSpike, slope, membrane } = credits.at(0.5, 50);
  const last = spikesBefore(spikes, 50).at(-1) as number;
  expect(ofMembrane.slice(0, last + 1).some((value) => value < 0)).toBe(true);
  expect(reachOf(ofMembrane, 50)).toBeGreaterThan(50 - last);
  // (1 − |x| / w) / w by hand.
  const distance = Math.abs((membrane[50] as number) - THRESHOLD);
  expect(slope).toBeCloseTo(Math.max(0, (1 - distance / 0.5) / 0.5), 5);
  expect(ofSpike[50]).toBeCloseTo(slope, 6);
});

test("a narrow slope multiplies credit at spikes until it explodes, a wide one does not", () => {
  const most = (width: number): number => Math.max(...credits.at(width, 50).ofMembrane.map(Math.abs));
  expect(most(0.1)).toBeGreaterThan(100);
  expect(most(1.2)).toBeLessThanOrEqual(1);
});

test("between two spikes the membrane is the sum of the currents, weighted by their credits", () => {
  for (const at of [4, 15, 40, 63]) {
    const { ofMembrane } = credits.at(0, at);
    const last = spikesBefore(credits.at(0, at).spikes, at).at(-1) ?? -1;
    const sum = ofMembrane.reduce((sum, value, t) => sum + (t > last ? value * (credits.current[t] as number) : 0), 0);
    expect(sum).toBeCloseTo(credits.at(0, at).membrane[at] as number, 5);
  }
});

test("the lent slope has the area 1, for all widths of the slider but 0", () => {
  const x = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 1000);
  const area = (width: number): number => slopesAt(width, x).reduce((sum, value) => sum + value / 1000, 0);
  expect(area(0)).toBe(0);
  for (let width = WIDTHS.by; width <= WIDTHS.most; width += 5 * WIDTHS.by) expect(area(width)).toBeCloseTo(1, 2);
  expect(lentBy(0.5).name).toBe("triangular");
});

test("the reach counts steps back to the earliest credit of a hundredth of the largest", () => {
  expect(reachOf(Float32Array.of(0, 0.001, 0.5, 1, 0), 3)).toBe(1);
  expect(reachOf(new Float32Array(4), 3)).toBe(0);
});

test("the sentence tells of the step, of the slope and of spikes that credit passes", () => {
  expect(sentenceOf(credits.at(0, 50))).toMatch(
    /^Width 0, the step as it is.* ends at the last spike, \d+ steps back\.$/,
  );
  expect(sentenceOf(credits.at(0.5, 50))).toMatch(/^Width 0\.5: at u − θ = .*credit for s\[50\]\. .* passes .*spike/);
});
