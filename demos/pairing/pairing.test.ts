import { describe, expect, test } from "vitest";
import { changeBy, spikesOf } from "./protocol.ts";
import { deviation, RULES } from "./rules.ts";

describe("demo: pairing", () => {
  test("a pairing begins with the spike before where dt is positive, and late spikes change the order", () => {
    const two = { frequency: 50, pairs: 2 };
    expect(spikesOf({ ...two, dt: 5 })).toEqual({ times: [0, 5, 20, 25], kinds: ["pre", "post", "pre", "post"] });
    expect(spikesOf({ ...two, dt: -5 })).toEqual({ times: [0, 5, 20, 25], kinds: ["post", "pre", "post", "pre"] });
    expect(spikesOf({ ...two, dt: 5 }, [-1, 0, 0, -7])).toEqual({
      times: [0, 6, 19, 21],
      kinds: ["pre", "post", "post", "pre"],
    });
  });

  test("triplets have the frequency dependence that was measured, and pairs lack it", () => {
    const off = Object.fromEntries(
      Object.entries(RULES).map(([name, rule]) => [
        name,
        deviation((frequency, dt) => changeBy(rule, { frequency, dt, pairs: 60 })),
      ]),
    );
    for (const [name, value] of Object.entries(off)) {
      if (name.includes("triplets")) expect(value, name).toBeLessThan(1);
      else expect(value, name).toBeGreaterThan(2);
    }
  });

  test("at 50 Hz triplets strengthen a synapse whichever spike is first, at 10 Hz the order decides", () => {
    const by = (name: string, frequency: number, dt: number) =>
      changeBy(RULES[name] as (typeof RULES)[string], { frequency, dt, pairs: 60 });
    for (const name of Object.keys(RULES).filter((rule) => rule.includes("triplets"))) {
      expect(by(name, 50, -10)).toBeGreaterThan(0.5);
      expect(by(name, 50, 10)).toBeGreaterThan(0.5);
      expect(by(name, 10, 10)).toBeGreaterThan(0.05);
      expect(by(name, 10, -10)).toBeLessThan(-0.2);
    }
    expect(by("pairs, all", 50, -10)).toBeLessThan(0);
  });
});
