/** Neurons to begin with, and currents for them. */
import { rounded } from "../terms.ts";
import type { Setting } from "./address.ts";

/** Steps of a current. */
const STEPS = 400;

interface Preset {
  readonly name: string;
  readonly text: string;
  /** The shape of the current, and its height. */
  readonly shape: string;
  readonly height: number;
  /** The width of the surrogate, in the unit of the membrane. */
  readonly width: number;
}

export const PRESETS: readonly Preset[] = [
  {
    ...{ name: "leaky", shape: "switched on", height: 0.12, width: 1 },
    text: `β = 0.95
θ = 1
u = β·v + I
s = [u ≥ θ]
v′ = 0 if s else u`,
  },
  {
    ...{ name: "adaptive", shape: "switched on", height: 0.14, width: 1 },
    text: `β = 0.95
ρ = 0.98
θ = 1
κ = 0.25
u = β·v + I
s = [u ≥ θ + κ·a]
v′ = u − θ·s
a′ = ρ·a + s`,
  },
  {
    ...{ name: "synapse", shape: "pulses", height: 0.04, width: 1 },
    text: `α = 0.9
β = 0.95
θ = 1
i′ = α·i + I
u = β·v + i′
s = [u ≥ θ]
v′ = 0 if s else u`,
  },
  {
    ...{ name: "resonator", shape: "wave", height: 0.12, width: 1 },
    text: `λ = 0.985
ω = 0.25
θ = 1
p = λ·(cos(ω)·x − sin(ω)·y) + I
u = λ·(sin(ω)·x + cos(ω)·y)
s = [u ≥ θ]
x′ = 0 if s else p
y′ = 0 if s else u`,
  },
  {
    ...{ name: "Izhikevich", shape: "switched on", height: 10, width: 3 },
    text: `a = 0.02
b = 0.2
c = −65
d = 8
dt = 0.5
u = v + dt·(0.04v² + 5v + 140 − w + I)
s = [u ≥ 30]
v′ = c if s else u
w′ = w + dt·a·(b·u − w) + d·s
v[0] = −65
w[0] = −13`,
  },
  {
    ...{ name: "AdEx", shape: "switched on", height: 500, width: 1 },
    text: `C = 200
g = 12
E = −70
T = −50
Δ = 2
a = 2
τ = 300
b = 60
r = −58
dt = 0.5
k = min((v − T)/Δ, 6)
f = g·(E − v + Δ·exp(k))
u = v + dt/C·(f − w + I)
s = [u ≥ 0]
v′ = r if s else u
w′ = w + dt/τ·(a·(v − E) − w) + b·s
v[0] = −70`,
  },
];

type Shape = (share: number, height: number) => number;

/** The beginnings of pulses, as shares of the time. */
const PULSES = [0.1, 0.15, 0.2, 0.375, 0.385, 0.395, 0.405, 0.625, 0.75, 0.7625];

const isPulse = (share: number): boolean => PULSES.some((at) => share >= at - 1e-9 && share < at + 0.005 - 1e-9);

/** Shapes of a current of a height, over the share of the time that has passed. The wave becomes ten times as fast. */
export const SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ["switched on", (share, height) => (share >= 0.1 && share < 0.85 ? height : 0)],
  ["rising", (share, height) => 2 * height * share],
  ["pulses", (share, height) => (isPulse(share) ? 4 * height : 0)],
  ["wave", (share, height) => height * (0.6 + 0.7 * Math.sin(20 * share + 90 * share * share))],
]);

/** A current of a shape. */
export function shaped(name: string, height: number, steps = STEPS): Float32Array {
  const shape = SHAPES.get(name) as Shape;
  return rounded(Array.from({ length: steps }, (_, t) => shape(t / steps, height)));
}

/** A preset under its current. */
export const settingOfPreset = ({ text, shape, height, width }: Preset): Setting => ({
  text,
  current: shaped(shape, height),
  width,
});

/** The setting with which the figure begins, and the step of the cursor. */
export const BEGIN: Setting = settingOfPreset(PRESETS[1] as Preset);
export const CURSOR = 300;
