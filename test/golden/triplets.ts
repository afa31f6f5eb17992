/** Rules of the golden files of spike times, whose parameters have the names of Pfister and Gerstner. */
import { type Rule, STDP, TripletSTDP } from "jarvis-snn";

export interface TripletParameters {
  readonly interaction: string;
  readonly A2p: number;
  readonly A3p: number;
  readonly A2m: number;
  readonly A3m: number;
  readonly tau_plus: number;
  readonly tau_minus: number;
  /** null where no amplitude needs them. */
  readonly tau_x: number | null;
  readonly tau_y: number | null;
}

export interface Bounds {
  readonly kind: string;
  readonly wmin: number;
  readonly wmax: number;
  readonly mu?: number;
}

type Order = "before" | "preFirst" | "postFirst";

/** The rules that such a model is: one of triplets, and one of pairs too where two amplitudes are 0. */
export function rulesOf(params: TripletParameters, bounds: Bounds | null = null, order: Order = "before"): Rule[] {
  const { interaction: given, A2p, A3p, A2m, A3m, tau_plus: tauPlus, tau_minus: tauMinus, tau_x, tau_y } = params;
  if (given !== "nearest" && given !== "all-to-all") throw new Error(`no interaction for ${given}`);
  const interaction = given === "nearest" ? "nearest" : "all";
  const common = { interaction, order, tauPlus, tauMinus, ...dependenceOf(bounds) } as const;
  const slow = { ...(tau_x === null ? {} : { tauX: tau_x }), ...(tau_y === null ? {} : { tauY: tau_y }) };
  const triplets = new TripletSTDP({ ...common, ...slow, a2Plus: A2p, a3Plus: A3p, a2Minus: A2m, a3Minus: A3m });
  return A3p === 0 && A3m === 0 ? [triplets, new STDP({ ...common, aPlus: A2p, aMinus: A2m })] : [triplets];
}

function dependenceOf(bounds: Bounds | null) {
  if (bounds === null || bounds.kind === "hard") return {};
  const { kind, mu } = bounds;
  if (kind !== "soft" || mu === undefined) throw new Error(`no bounds for ${kind}`);
  return mu === 1
    ? ({ dependence: "multiplicative" } as const)
    : ({ dependence: "power", muPlus: mu, muMinus: mu } as const);
}
