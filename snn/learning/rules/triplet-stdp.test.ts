import { describe, expect, test } from "vitest";
import { Linear, Plastic, type PlasticEvent, type Rule, STDP, TripletSTDP } from "../../../index.ts";

/** The change of a weight, from 0 on, by spikes at these times. */
function change(rule: Rule, spikes: readonly (readonly [t: number, kind: PlasticEvent])[]): number {
  const layer = new Linear(1, 1, { bias: false });
  layer.weight.copyFrom([0]);
  const times = spikes.map(([t]) => t);
  new Plastic(layer, rule).events(
    times,
    spikes.map(([, kind]) => kind),
  );
  return layer.weight.item();
}

const e = (time: number, tau: number): number => Math.exp(-time / tau);

describe("triplet stdp", () => {
  const amplitudes = { a2Plus: 0.1, a3Plus: 0.2, a2Minus: 0.3, a3Minus: 0.4 };
  const times = { tauPlus: 17, tauMinus: 34, tauX: 100, tauY: 120 };

  test("two spikes behind and one before between them: the second one is stronger by the first", () => {
    const got = change(new TripletSTDP({ ...amplitudes, ...times }), [
      [0, "post"],
      [10, "pre"],
      [15, "post"],
    ]);
    expect(got).toBeCloseTo(-0.3 * e(10, 34) + e(5, 17) * (0.1 + 0.2 * e(15, 120)), 6);
  });

  test("two spikes before and one behind between them: the second one weakens more by the first", () => {
    const got = change(new TripletSTDP({ ...amplitudes, ...times }), [
      [0, "pre"],
      [10, "post"],
      [15, "pre"],
    ]);
    expect(got).toBeCloseTo(0.1 * e(10, 17) - e(5, 34) * (0.3 + 0.4 * e(15, 100)), 6);
  });

  test("nearest: a spike sets its traces to 1", () => {
    const train = [
      [0, "pre"],
      [4, "pre"],
      [10, "post"],
    ] as const;
    const rule = (interaction: "all" | "nearest") => new TripletSTDP({ ...amplitudes, ...times, interaction });
    expect(change(rule("all"), train)).toBeCloseTo(0.1 * (e(10, 17) + e(6, 17)), 6);
    expect(change(rule("nearest"), train)).toBeCloseTo(0.1 * e(6, 17), 6);
  });

  test("without amplitudes of triplets it is the rule of pairs", () => {
    const train = [
      [0, "pre"],
      [7, "post"],
      [9, "pre"],
      [21, "post"],
      [22, "post"],
    ] as const;
    const triplets = new TripletSTDP({ ...times, a2Plus: 0.1, a3Plus: 0, a2Minus: 0.3, a3Minus: 0 });
    const pairs = new STDP({ tauPlus: 17, tauMinus: 34, aPlus: 0.1, aMinus: 0.3 });
    expect(change(triplets, train)).toBe(change(pairs, train));
  });

  test.each(["All", "Nearest"] as const)(
    "visual, %s: the minimal set changes a weight as the full one does at 20 Hz",
    (interaction) => {
      const train = Array.from({ length: 40 }, (_, k) => [
        [50 * k, "pre"] as const,
        [50 * k + 10, "post"] as const,
      ]).flat();
      const by = (model: "Full" | "Minimal") =>
        change(new TripletSTDP({ numerics: `visual${interaction}${model}` }), train);
      expect(by("Full")).toBeGreaterThan(0.1);
      expect(by("Minimal") / by("Full")).toBeGreaterThan(0.8);
      expect(by("Minimal") / by("Full")).toBeLessThan(1.25);
    },
  );

  test.each([
    "hippocampusAllFull",
    "hippocampusAllMinimal",
    "hippocampusNearestFull",
    "hippocampusNearestMinimal",
  ] as const)("%s: 60 triplets post-pre-post strengthen a synapse, much more than pre-post-pre", (numerics) => {
    const triplets = (...kinds: PlasticEvent[]) =>
      Array.from({ length: 60 }, (_, k) => kinds.map((kind, i) => [1000 * k + 5 * i, kind] as const)).flat();
    const strong = change(new TripletSTDP({ numerics }), triplets("post", "pre", "post"));
    const weak = change(new TripletSTDP({ numerics }), triplets("pre", "post", "pre"));
    expect(strong).toBeGreaterThan(0.2);
    expect(Math.abs(weak)).toBeLessThan(strong / 2);
  });

  test("a set is the start for other options, and the default is the one of visual cortex", () => {
    const train = [
      [0, "post"],
      [10, "pre"],
      [15, "post"],
    ] as const;
    const by = (options: object) => change(new TripletSTDP(options), train);
    expect(by({ numerics: "visualAllFull" })).toBe(by({}));
    expect(by({ numerics: "hippocampusAllFull", a2Plus: 0, a3Plus: 0 })).toBeCloseTo(-1.6e-3 * e(10, 33.7), 8);
    expect(() => new TripletSTDP({ numerics: "cortex" as never })).toThrow(/numerics.*visualAllFull/);
  });
});
