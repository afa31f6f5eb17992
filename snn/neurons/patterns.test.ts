/** The named firing patterns: counts the characteristic spikes of each name, in a float64 loop and in the layer. */
import { AdEx, adExPattern, adExPatterns, Izhikevich, izhikevichPattern, izhikevichPatterns } from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { values } from "../../test/support/tensors.ts";

/** Times between spikes. */
const gaps = (times: readonly number[]): number[] => times.slice(1).map((t, i) => t - (times[i] as number));

/** Groups of spikes separated by gaps of at least `pause`. */
function bursts(times: readonly number[], pause: number): number[] {
  const sizes: number[] = [];
  for (const [i, t] of times.entries()) {
    if (i > 0 && t - (times[i - 1] as number) < pause) sizes.push((sizes.pop() as number) + 1);
    else sizes.push(1);
  }
  return sizes;
}
const rises = (x: readonly number[]): boolean => x.every((value, i) => i === 0 || value > (x[i - 1] as number));
const falls = (x: readonly number[]): boolean => rises(x.map((value) => -value));
const within = (times: readonly number[], from: number, to: number): number =>
  times.filter((t) => t >= from && t < to).length;

/** Spike times and the membrane of a pattern. */
interface Response {
  readonly times: readonly number[];
  readonly membrane: readonly number[];
  readonly dt: number;
}

describe("izhikevich", () => {
  /** The equation in float64, independent of the layer. */
  function simulate(name: (typeof izhikevichPatterns)[number]): Response {
    const { options, current, state } = izhikevichPattern(name);
    const { a, b, c, d, dt, linear = 5, bias = 140, recoveryRest = 0, recoveryLeak = 1 } = options;
    let [v, u] = [state.v.item(), state.u.item()];
    const times: number[] = [];
    const membrane = values(current).map((input, i) => {
      v += dt * (0.04 * v * v + linear * v + bias - u + input);
      u += dt * a * (b * (v - recoveryRest) - recoveryLeak * u);
      const before = v;
      if (v > 30) {
        v = c;
        u += d;
        times.push(i * dt);
      }
      return before;
    });
    return { times, membrane, dt };
  }

  /** Conditions that the response of each name must meet. */
  const IS: { readonly [name in (typeof izhikevichPatterns)[number]]: (response: Response) => boolean } = {
    // It spikes as long as the current lasts.
    tonicSpiking: ({ times }) =>
      times.length >= 5 && Math.max(...gaps(times.slice(2))) < 30 && within(times, 70, 101) >= 1,
    // It spikes once at the onset of a lasting current.
    phasicSpiking: ({ times }) => times.length === 1 && within(times, 20, 60) === 1,
    // It bursts as long as the current lasts.
    tonicBursting: ({ times }) => bursts(times, 20).length === 4 && bursts(times, 20).every((size) => size >= 5),
    // One burst at the onset.
    phasicBursting: ({ times }) => bursts(times, 20).length === 1 && times.length >= 4 && within(times, 100, 201) === 0,
    // A burst, then single spikes.
    mixedMode: ({ times }) => {
      const [first = 0, ...others] = bursts(times, 20);
      return first >= 3 && others.length >= 3 && others.every((size) => size === 1);
    },
    // Gaps increase.
    spikeFrequencyAdaptation: ({ times }) => times.length >= 5 && rises(gaps(times).slice(0, -1)),
    // The rate begins low and increases with the current.
    class1Excitability: ({ times }) =>
      falls(gaps(times)) && (gaps(times)[0] as number) > 2 * (gaps(times).at(-1) as number),
    // The rate begins high and hardly changes.
    class2Excitability: ({ times }) =>
      times.length > 10 && (gaps(times)[0] as number) < 2 * (gaps(times).at(-1) as number),
    // The spike occurs long after the pulse.
    spikeLatency: ({ times }) => times.length === 1 && (times[0] as number) > 13 + 10,
    // After the spike the membrane oscillates around its rest.
    subthresholdOscillations: ({ times, membrane, dt }) => {
      const after = membrane.slice(Math.round(((times[0] as number) + 20) / dt));
      const middle = after.at(-1) as number;
      const crossings = after.filter((v, i) => i > 0 && v > middle !== (after[i - 1] as number) > middle).length;
      return times.length === 1 && crossings >= 4;
    },
    // Two pairs of pulses arrive; the pair whose gap is the period of the neuron makes it fire.
    resonator: ({ times }) => times.length === 1 && within(times, 320, 350) === 1,
    // Two pairs of pulses arrive; the pair with the shorter gap makes it fire.
    integrator: ({ times }) => times.length === 1 && within(times, 14, 25) === 1,
    // It spikes after the end of an inhibitory pulse.
    reboundSpike: ({ times }) => times.length === 1 && (times[0] as number) > 25,
    reboundBurst: ({ times }) => bursts(times, 20).length === 1 && times.length >= 4 && (times[0] as number) > 25,
    // A pulse makes it fire only after an inhibitory one.
    thresholdVariability: ({ times }) => times.length === 1 && (times[0] as number) > 80,
    // One pulse starts the spiking, an equal pulse ends it.
    bistability: ({ times }) =>
      within(times, 37, 216) >= 4 && within(times, 221, 301) === 0 && within(times, 0, 37) === 0,
    // After the spike the membrane is above its rest, then decays.
    depolarizingAfterpotential: ({ times, membrane, dt }) => {
      const after = membrane.slice(Math.round(((times[0] as number) + 1) / dt));
      return times.length === 1 && Math.max(...after) > -60 && Math.abs((after.at(-1) as number) + 70) < 1;
    },
    // A slow ramp does not make it fire, a fast one to a lower current does.
    accommodation: ({ times }) => times.length === 1 && within(times, 300, 320) === 1,
    // It fires only while it is inhibited.
    inhibitionInducedSpiking: ({ times }) => times.length >= 3 && within(times, 50, 251) === times.length,
    inhibitionInducedBursting: ({ times }) =>
      within(times, 50, 251) === times.length &&
      bursts(times, 20).length >= 2 &&
      bursts(times, 20).every((n) => n >= 4),
  };

  test("izhikevich: there are the twenty patterns of the paper", () => {
    expect(izhikevichPatterns.length).toBe(20);
    expect(new Set(izhikevichPatterns)).toEqual(new Set(Object.keys(IS)));
    expect(() => izhikevichPattern("bursting" as never)).toThrow(RangeError);
  });

  test.each(izhikevichPatterns)("izhikevich: %s is as its name says, in a float64 loop and in the layer", (name) => {
    expect(IS[name](simulate(name))).toBe(true);
    const { options, current, state } = izhikevichPattern(name);
    const { spikes, membrane } = new Izhikevich(options).unroll(current, state);
    const times = values(spikes).flatMap((s, i) => (s === 1 ? [i * options.dt] : []));
    const response = { times, membrane: values(membrane), dt: options.dt };
    expect(IS[name](response)).toBe(true);
    expect(times.length).toBe(simulate(name).times.length);
  });

  test("izhikevich: no pattern passes for all of the others", () => {
    // Each condition rejects most other responses; a condition that anything meets would test nothing.
    const responses = izhikevichPatterns.map(simulate);
    for (const name of izhikevichPatterns) {
      expect(responses.filter((response) => IS[name](response)).length).toBeLessThan(10);
    }
  });
});

describe("adex", () => {
  function simulate(name: (typeof adExPatterns)[number]): number[] {
    const { options, current } = adExPattern(name);
    const { C, gL, EL, VT, deltaT, a, tauW, b, resetValue, dt } = options;
    let [v, w] = [EL, 0];
    return values(current).flatMap((input, i) => {
      const flow = -gL * (v - EL) + gL * deltaT * Math.exp((v - VT) / deltaT) - w + input;
      const next = v + (dt / C) * flow;
      w += (dt / tauW) * (a * (v - EL) - w);
      v = next;
      if (v < 0) return [];
      v = resetValue;
      w += b;
      return [i * dt];
    });
  }
  const spread = (x: readonly number[]): number => Math.max(...x) / Math.min(...x);

  const IS: { readonly [name in (typeof adExPatterns)[number]]: (times: readonly number[]) => boolean } = {
    tonicSpiking: (times) => times.length > 20 && spread(gaps(times)) < 1.1,
    adaptation: (times) => times.length > 5 && rises(gaps(times).slice(0, -2)) && spread(gaps(times)) > 4,
    initialBurst: (times) => {
      const [first = 0, ...others] = bursts(times, 30);
      return first >= 2 && others.length > 3 && others.every((size) => size === 1);
    },
    regularBursting: (times) => bursts(times, 50).length > 2 && bursts(times, 50).every((size) => size >= 2),
    delayedAccelerating: (times) => {
      const between = gaps(times);
      const isSlowing = between.some((gap, i) => i > 0 && gap > (between[i - 1] as number) + 0.2);
      return (times[0] as number) > 30 && !isSlowing && (between[0] as number) > 1.5 * (between.at(-1) as number);
    },
    delayedRegularBursting: (times) =>
      (times[0] as number) > 50 && bursts(times, 20).length > 3 && bursts(times, 20).every((size) => size === 4),
    transientSpiking: (times) => times.length >= 1 && within(times, 100, 500) === 0,
    irregularSpiking: (times) => times.length > 20 && spread(gaps(times.slice(5))) > 3,
  };

  test.each(adExPatterns)("adex: %s is as its name says, in a float64 loop and in the layer", (name) => {
    const { options, current } = adExPattern(name);
    const found = values(new AdEx(options).forward(current)).flatMap((s, i) => (s === 1 ? [i * options.dt] : []));
    const expected = simulate(name);
    expect(IS[name](expected)).toBe(true);
    expect(IS[name](found)).toBe(true);
    // Irregular spiking is chaotic, so only its beginning is the same in float32.
    if (name !== "irregularSpiking") expect(found.length).toBe(expected.length);
    expect(found.slice(0, 5)).toEqual(expected.slice(0, 5));
  });

  test("adex: duration and time step of a pattern", () => {
    const { options, current } = adExPattern("tonicSpiking", { duration: 20, dt: 0.5 });
    expect([options.dt, current.shape]).toEqual([0.5, [40, 1]]);
    expect(() => adExPattern("tonicSpiking", { dt: 0 })).toThrow(RangeError);
    expect(() => adExPattern("slow" as never)).toThrow(RangeError);
  });
});
