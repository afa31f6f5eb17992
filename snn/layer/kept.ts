/** Layers whose fields a stream or a rule has read once: with another value in such a field it would go on with the old one. */
import { Tensor } from "../../engine/index.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A layer with fields that were read. */
export interface Kept {
  readonly layer: Fields;
  /** The values that the fields had, by name. */
  readonly values: Fields;
  /** Whether the layer has them still. */
  readonly isSame: () => boolean;
}

/** Notes the fields of these names; without names those with tensors, functions and null. */
export function keptOf(layer: object, names?: readonly string[]): Kept {
  const of = layer as Fields;
  const isRead = (value: unknown) => value === null || typeof value === "function" || value instanceof Tensor;
  const read = names ?? Object.keys(of).filter((name) => isRead(of[name]));
  const [usual, compare] = read.includes("form") ? NEURONS : WEIGHTED;
  const values: Fields = Object.fromEntries([...usual, ...read].map((name) => [name, of[name]]));
  const others = read.filter((name) => !usual.includes(name));
  const isUsual = compare(of, values);
  const before = others.map((name) => of[name]);
  const isSame = (): boolean => {
    for (let i = 0; i < others.length; i++) if (of[others[i] as string] !== before[i]) return false;
    return isUsual();
  };
  return { layer: of, values, isSame: others.length === 0 ? isUsual : isSame };
}

type Compare = (layer: Fields, values: Fields) => () => boolean;

/** The fields that most layers have, compared by names in the code: a name in a variable takes an engine three times as long. */
const WEIGHTED: readonly [readonly string[], Compare] = [
  ["weight", "bias", "reading"],
  (layer, { weight, bias, reading }) =>
    () =>
      layer.weight === weight && layer.bias === bias && layer.reading === reading,
];
const NEURONS: readonly [readonly string[], Compare] = [
  ["form", "beta", "threshold"],
  (layer, { form, beta, threshold }) =>
    () =>
      layer.form === form && layer.beta === beta && layer.threshold === threshold,
];

/** The tensors among the values. */
export const tensorsIn = (kept: readonly Kept[]): Tensor[] =>
  kept.flatMap(({ values }) => Object.values(values)).filter((value) => value instanceof Tensor);

/**
 * Throws where a field of a layer has another value by now, with a hint to make another `maker`.
 *
 * @throws Error that names the layer and the field.
 */
export function checkKept(where: string, maker: string, kept: readonly Kept[]): void {
  for (let i = 0; i < kept.length; i++) {
    const each = kept[i] as Kept;
    if (!each.isSame()) throw changed(where, maker, each);
  }
}

/** Fields whose names are internal, in words. */
const WORDS: Fields = { form: "step", reading: "mask or grid" };

function changed(where: string, maker: string, { layer, values }: Kept): Error {
  const name = Object.keys(values).find((each) => layer[each] !== values[each]) as string;
  return new Error(`${where}: ${layer.constructor.name} has another ${WORDS[name] ?? name} now; make another ${maker}`);
}
