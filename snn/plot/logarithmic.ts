/** A logarithmic axis of ECharts, with powers of ten as labels. */

const DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A power of ten as 10⁻³; other numbers with three digits. */
function powerOf(value: number): string {
  const [mantissa, exponent = "0"] = value.toExponential(6).split("e") as [string, string];
  if (Number(mantissa) !== 1) return String(+value.toPrecision(3));
  const digits = [...exponent.replace(/[+-]/, "")].map((digit) => DIGITS[Number(digit)]);
  return `10${exponent.startsWith("-") ? "⁻" : ""}${digits.join("")}`;
}

/** Options of a logarithmic axis. */
export const logarithmic = {
  type: "log",
  axisLabel: { formatter: powerOf },
  minorSplitLine: { show: false },
} as const;
