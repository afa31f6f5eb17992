import { expect, test } from "vitest";
import { bytes, count, percent, significant } from "./numbers.ts";

test("numbers: whole numbers, shares, bytes", () => {
  expect([0, 999, 1500, 9999, 12_000, 1_234_567].map(count)).toEqual([
    "0",
    "999",
    "1500",
    "9999",
    "12\u202f000",
    "1\u202f234\u202f567",
  ]);
  expect([1, 0.985, 0].map(percent)).toEqual(["100.0\u202f%", "98.5\u202f%", "0.0\u202f%"]);
  expect([8064, 19_520, 75_400_000].map(bytes)).toEqual(["8064 bytes", "19\u202f520 bytes", "75 MB"]);
});

test("numbers: two digits that matter", () => {
  expect([Math.LN2, 0.06, 0.00123, 0.0000123, 1.23, 12.3, 1234, 0].map(significant)).toEqual([
    "0.69",
    "0.060",
    "0.0012",
    "0.000012",
    "1.2",
    "12",
    "1234",
    "0",
  ]);
  expect([3.14e-7, -2.5, -0.03, 0.0995, 0.996, 9.96].map(significant)).toEqual([
    "3.1·10⁻⁷",
    "−2.5",
    "−0.030",
    "0.10",
    "1.0",
    "10",
  ]);
});
