import { expect, test } from "vitest";
import { queryOf } from "./address.ts";

test.each([
  ["", ""],
  ["#", ""],
  ["#data=xor&seed=7", "data=xor&seed=7"],
  ["#/train?data=xor", "data=xor"],
  ["#/train", ""],
  ["#/", ""],
  ["#the-same-run-in-node", null],
])("address: %j has the configuration %j", (hash, query) => {
  expect(queryOf(hash)).toBe(query);
});
