import { expect, test } from "vitest";
import {
  atShare,
  choice,
  decimals,
  defaults,
  formatValues,
  level,
  nearest,
  nudged,
  number,
  parseValues,
  shareOf,
} from "./fields.ts";

const fields = {
  tau: number(20, 1, 100, 0.5),
  lr: level(0.01, [0.001, 0.01, 0.1]),
  reset: choice(["zero", "subtract"], "zero"),
  layers: { kind: "list", default: [24, 16], min: 1, max: 64, least: 1, most: 3 },
} as const;

test("fields: an address holds what differs from the defaults, in the order of the table", () => {
  expect(formatValues(fields, defaults(fields))).toBe("");
  const values = { tau: 2.5, lr: 0.01, reset: "subtract", layers: [8] } as const;
  expect(formatValues(fields, values)).toBe("tau=2.5&reset=subtract&layers=8");
});

test("fields: what is written is read again", () => {
  for (const tau of [1, 1.5, 20, 99.5, 100]) {
    for (const lr of fields.lr.of) {
      for (const layers of [[1], [64, 2], [3, 4, 5]]) {
        const values = { tau, lr, reset: "subtract", layers } as const;
        expect(parseValues(fields, formatValues(fields, values))).toEqual(values);
      }
    }
  }
});

test.each([
  ["tau=1e9&lr=0.06", { tau: 100, lr: 0.1 }],
  ["tau=&lr=x", { tau: 20, lr: 0.01 }],
  ["tau=7.3", { tau: 7.5 }],
  ["reset=never&other=1", { reset: "zero" }],
  ["layers=9999,0", { layers: [64, 1] }],
  ["layers=1,2,3,4", { layers: [1, 2, 3] }],
  ["layers=1.5", { layers: [24, 16] }],
  ["layers=", { layers: [24, 16] }],
])("fields: %s becomes valid values", (query, expected) => {
  expect(parseValues(fields, query)).toEqual({ ...defaults(fields), ...expected });
});

test("fields: numbers snap to their steps without a rest", () => {
  expect(nearest(number(0, 0, 1, 0.1), 0.7 + 0.1 + 1e-9)).toBe(0.8);
  expect(nudged(number(0, 0, 1, 0.1), 0.2, 1)).toBe(0.3);
  expect(nudged(number(0, 0, 1, 0.1), 1, 1)).toBe(1);
  expect(nudged(fields.lr, 0.01, 1)).toBe(0.1);
  expect(nudged(fields.lr, 0.1, 1)).toBe(0.1);
  expect(nudged(fields.lr, 0.1, -10)).toBe(0.001);
  expect([decimals(1), decimals(0.02), decimals(0.5)]).toEqual([0, 2, 1]);
});

test("fields: a share of the range and back", () => {
  for (const field of [fields.tau, fields.lr, number(3, -5, 5, 1)]) {
    expect(shareOf(field, atShare(field, 0))).toBe(0);
    expect(shareOf(field, atShare(field, 1))).toBe(1);
    expect(atShare(field, shareOf(field, field.default))).toBe(field.default);
  }
});
