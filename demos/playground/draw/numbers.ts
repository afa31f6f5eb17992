/** How numbers are written, the same wherever one is read. */

const minus = (text: string): string => text.replace("-", "−");

/** A whole number, its thousands apart from five digits on: 1500, 12 000. */
export function count(value: number): string {
  const digits = String(Math.round(value));
  return minus(digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, "\u202f"));
}

/** A share: 98.5 %. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)}\u202f%`;

/** Two digits that matter: 0.69, 0.00012, 3.1·10⁻⁷; whole from ten on. */
export function significant(value: number): string {
  const size = Math.abs(value);
  if (size >= 10) return count(value);
  if (size === 0 || size >= 1e-5) return minus(Number(value.toPrecision(2)).toFixed(size === 0 ? 0 : decimalsOf(size)));
  const [digits = "", power = ""] = value.toExponential(1).split("e");
  return minus(`${digits}·${powerOfTen(Number(power))}`);
}

/** 10⁻³ of −3. */
export const powerOfTen = (power: number): string =>
  `10${[...String(power)].map((sign) => SUPERSCRIPTS[sign]).join("")}`;

/** Decimals that show two digits. */
function decimalsOf(size: number): number {
  return Math.max(0, 1 - Number(size.toExponential(1).split("e")[1]));
}

const SUPERSCRIPTS: Record<string, string> = Object.fromEntries(
  [..."-0123456789"].map((c, i) => [c, [..."⁻⁰¹²³⁴⁵⁶⁷⁸⁹"][i] as string]),
);

/** 19 520 bytes, 75 MB. */
export function bytes(value: number): string {
  return value < 1e6 ? `${count(value)} bytes` : `${count(value / 1e6)} MB`;
}
