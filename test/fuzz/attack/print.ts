/** A call as lines that can be pasted. */
import { argsOf, type Case } from "./code.ts";
import { TARGETS, type Target } from "./targets.ts";
import { definitionsFor } from "./values.ts";

export function printCase(c: Case): string {
  const args = argsOf(c);
  const { form, name, of, made } = TARGETS.get(c.target) as Target;
  const [first, ...rest] = args;
  const object = /^[\w.]+\(.*\)$/.test(first as string) ? first : `(${first})`;
  const access = name.startsWith("[") ? name : `.${name}`;
  const call = {
    function: () => `${name}(${args.join(", ")})`,
    new: () => `new ${of}(${args.join(", ")})`,
    method: () => `new ${of}(${args.slice(0, made).join(", ")})${access}(${args.slice(made).join(", ")})`,
    member: () => `${object}${access}(${rest.join(", ")})`,
    get: () => `${object}${access}`,
    set: () => `${object}${access} = ${rest.join(", ")}`,
  }[form]();
  const lines = c.backward ? [`const z = ${call};`, "z.sum().backward();"] : [`${call};`];
  const body = lines.map((line) => `  ${line}`);
  const around = {
    root: lines,
    polluted: ["Object.prototype.polluted = 1;", ...lines],
    tape: ["tape(() => {", ...body, "});"],
    noGrad: ["noGrad(() => {", ...body, "});"],
    failing: ["tape(() => {", ...body, '  throw new Error("the tape fails");', "});"],
    gradcheck: ["let kept;", "gradcheck((x) => {", `  kept = ${call};`, "  return x.mul(2);", "}, [ones([1])]);"],
  }[c.setting];
  return [...definitionsFor(call), ...around].join("\n");
}
