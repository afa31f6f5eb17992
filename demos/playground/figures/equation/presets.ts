/** Neurons to begin with, and currents for them. */
import { rounded, type Setting } from "./address.ts";

/** Steps of a current. */
const STEPS = 400;

interface Preset {
  readonly name: string;
  readonly text: string;
  /** The height of the current. */
  readonly height: number;
  /** The width of the surrogate, in the unit of the membrane. */
  readonly width: number;
}

export const PRESETS: readonly Preset[] = [
  {
    name: "leaky",
    height: 0.12,
    width: 1,
    text: `β = 0.95
θ = 1
u = β·v + I
s = [u ≥ θ]
v′ = 0 if s else u`,
  },
  {
    name: "adaptive",
    height: 0.14,
    width: 1,
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
    name: "synapse",
    height: 0.012,
    width: 1,
    text: `α = 0.9
β = 0.95
θ = 1
i′ = α·i + I
u = β·v + i′
s = [u ≥ θ]
v′ = 0 if s else u`,
  },
  {
    name: "resonator",
    height: 0.3,
    width: 1,
    text: `λ = 0.985
ω = 0.25
θ = 1
x′ = λ·(cos(ω)·x − sin(ω)·y) + I
u = λ·(sin(ω)·x + cos(ω)·y)
s = [u ≥ θ]
y′ = θ if s else u`,
  },
  {
    name: "Izhikevich",
    height: 10,
    width: 20,
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
    name: "AdEx",
    height: 210,
    width: 20,
    text: `C = 200
g = 10
E = −58
T = −50
Δ = 2
a = 2
τ = 120
b = 100
r = −46
dt = 0.5
e = g·Δ·exp(min((v − T)/Δ, 6))
u = v + dt/C·(g·(E − v) + e − w + I)
s = [u ≥ 0]
v′ = r if s else u
w′ = w + dt/τ·(a·(v − E) − w) + b·s
v[0] = −58`,
  },
];

/** Shapes of a current of this height, over the share of the time that has passed. */
export const SHAPES: ReadonlyMap<string, (share: number, height: number) => number> = new Map([
  ["switched on", (share: number, height: number) => (share >= 0.1 && share < 0.85 ? height : 0)],
  ["rising", (share: number, height: number) => 2 * height * share],
  [
    "pulses",
    (share: number, height: number) =>
      [0.1, 0.15, 0.2, 0.375, 0.385, 0.395, 0.405, 0.625, 0.75, 0.7625].some((at) => share >= at && share < at + 0.005)
        ? 4 * height
        : 0,
  ],
  ["wave", (share: number, height: number) => height * (0.6 + 0.7 * Math.sin((100 * share) / (1 + 5 * share)))],
]);

/** A current of a shape. */
export function shaped(name: string, height: number, steps = STEPS): Float32Array {
  const shape = SHAPES.get(name) as (share: number, height: number) => number;
  return rounded(Array.from({ length: steps }, (_, t) => shape(t / steps, height)));
}

/** A preset under a current that is switched on. */
export const settingOfPreset = ({ text, height, width }: Preset): Setting => ({
  text,
  current: shaped("switched on", height),
  width,
});

/** The setting with which the figure begins, and the step of the cursor. */
export const BEGIN: Setting = settingOfPreset(PRESETS[1] as Preset);
export const CURSOR = 300;
