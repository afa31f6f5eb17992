/** The table of costs of a sample, with spikes and without: additions, multiplications, and the energy of both. */
import { count, significant } from "../../draw/numbers.ts";
import { type Costs, nanojoules, PICOJOULES } from "../../model/costs.ts";
import { element } from "../../ui/dom.ts";

const KINDS: readonly (readonly [keyof Costs, string])[] = [
  ["spikes", "with spikes"],
  ["onePass", "one dense pass"],
  ["everyStep", "dense at every step"],
];

export function costTable(): { node: HTMLElement; show(costs: Costs | null): void } {
  const head = ["additions", "multipli\u00adcations", "nJ"].map((title) => element("th", { scope: "col" }, title));
  const table = element("table", { class: "costs" }, element("thead", {}, element("tr", {}, element("td"), ...head)));
  const rows = KINDS.map(([kind, title]) => {
    const cells = ["additions", "multiplications", "energy"].map((name) =>
      element("td", { "data-cost": `${kind} ${name}` }, "–"),
    );
    const bar = element("div", { class: `bar-of ${kind}` });
    const body = element(
      "tbody",
      {},
      element("tr", {}, element("th", { scope: "row" }, title), ...cells),
      element("tr", { "aria-hidden": "true" }, element("td", { colspan: "4" }, bar)),
    );
    table.append(body);
    return { kind, cells, bar };
  });
  let shown: Costs | null = null;
  const { addition, multiplication } = PICOJOULES;
  const both = (addition + multiplication).toFixed(1);
  const note = element(
    "p",
    { class: "small-print" },
    `${addition} pJ an addition, ${multiplication} pJ a multiplication, ${both} pJ both (32-bit floats at 45 nm, Horowitz 2014). ` +
      "Biases: none. Not counted: reading weights and potentials from memory, comparing with the threshold, exponentials.",
  );
  return {
    node: element("div", {}, table, note),
    show(costs) {
      if (costs === shown) return;
      shown = costs;
      const most = costs === null ? 1 : Math.max(...KINDS.map(([kind]) => nanojoules(costs[kind])));
      for (const { kind, cells, bar } of rows) {
        const cost = costs?.[kind];
        const texts =
          cost === undefined
            ? ["–", "–", "–"]
            : [count(cost.additions), count(cost.multiplications), significant(nanojoules(cost))];
        for (const [i, cell] of cells.entries()) cell.textContent = texts[i] as string;
        bar.style.width = `${cost === undefined ? 0 : (100 * nanojoules(cost)) / most}%`;
      }
    },
  };
}
