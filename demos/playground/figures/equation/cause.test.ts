import { expect, test } from "vitest";
import { parse } from "./language.ts";
import { TypedNeuron } from "./model.ts";

/** The message for a text under a current that begins with 0. */
function told(text: string) {
  const typed = new TypedNeuron(parse(text));
  const { cause, lost } = typed.run(Float32Array.from({ length: 60 }, (_, t) => t / 10));
  typed.dispose();
  return cause && { ...cause, underlined: text.slice(cause.from, cause.to), lost };
}

test.each([
  ["u = v/0 + I\ns = [u ≥ 1]\nv′ = u", "/", "0/0 in line 1 at step 0: keep the divisor away from 0"],
  ["v′ = I/v\nv[0] = 1", "/", "0.1/0 in line 1 at step 1"],
  ["w′ = 2\n\nx′ = I/(w − 2)", "/", "0.1/0 in line 3 at step 1"],
  ["k = (v + 1)/(I − I)\nu = 2·k + v\nv′ = u", "/", "1/0 in line 1 at step 0"],
  ["v′ = 0.5 + log(I)", "log", "log(0) in line 1 at step 0: keep its argument above 0"],
  ["a = −3\nu = √(a·I) + v; v′ = u", "√", "√(−0.3) in line 2 at step 1: keep its argument above 0"],
  ["v′ = I^−0.5", "^", "(0)^−0.5 in line 1 at step 0: keep its base above 0"],
  ["θ = 0\nu = v + 1/θ\ns = [u ≥ 1]\nv′ = 0 if s else u", "/", "1/0 in line 2 at step 0"],
])("an operation has no number: %j", (text, underlined, message) => {
  const cause = told(text);
  expect(cause?.message).toContain(message);
  expect(cause).toMatchObject({ underlined, grows: false });
});

test.each([
  ["v′ = v·v + I + 1", "·", "line 1"],
  ["w′ = 0.5·w\nv′ = 10·v + I", "·", "line 2"],
  ["v′ = exp(v + 20)", "exp", "line 1"],
  ["k = exp(v)\nv′ = v + k", "exp", "line 1"],
])("a value grows: %j", (text, underlined, line) => {
  const cause = told(text);
  const { lost } = cause ?? { lost: -1 };
  expect(cause).toMatchObject({ underlined, grows: true });
  expect(lost).toBeGreaterThan(0);
  const expected = `${line} grows beyond 3.4·10³⁸ at step ${lost}: bound what grows, as in min(v, 3)`;
  expect(cause?.message).toBe(expected);
});

test("a value that is not taken is no cause", () => {
  expect(told("k = 1/I\nv′ = 0 if I = 0 else k")).toBeNull();
  // The quotient is infinite at step 0, where it is not taken, and v·v too large later.
  const cause = told("k = 1/I\nu = 1 if I = 0 else min(k, 1)\nv′ = v·v + 3·u");
  expect(cause).toMatchObject({ underlined: "·", grows: true });
  expect(cause?.message).toContain("line 3");
});
