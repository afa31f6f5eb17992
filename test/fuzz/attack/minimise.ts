/** Cuts a call down to what its finding needs. */
import type { Case, Code, Finding } from "./code.ts";
import { isList } from "./code.ts";

export async function minimise(
  found: Finding & { readonly case: Case },
  run: (c: Case) => Promise<readonly Finding[]>,
): Promise<Case> {
  let rest = found.case;
  const same = (message: string): string => message.replace(/\d+/g, "#");
  const attempt = async (c: Case): Promise<boolean> => {
    const fails = (await run(c)).some(
      ({ kind, message }) => kind === found.kind && same(message) === same(found.message),
    );
    if (fails) rest = c;
    return fails;
  };
  // What does not show a second time cannot be cut down.
  if (!(await attempt(rest))) return rest;
  for (const edit of rest.edits) await attempt({ ...rest, edits: rest.edits.filter((other) => other !== edit) });
  if (rest.backward) await attempt({ ...rest, backward: false });
  for (const setting of ["root", "tape"] as const) {
    if (rest.setting === setting || (await attempt({ ...rest, setting }))) break;
  }
  // Every attempt takes as long as the patience with it.
  if (found.kind === "hang") return rest;
  for (let i = 0; i < rest.args.length; i++) {
    for (let isSmaller = true; isSmaller; ) {
      isSmaller = false;
      for (const code of smaller(rest.args[i] as Code)) {
        isSmaller = await attempt({ ...rest, args: rest.args.map((other, n) => (n === i ? code : other)) });
        if (isSmaller) break;
      }
    }
  }
  return rest;
}

/** The same argument with an option less, or a tensor that is just ones. */
function* smaller(code: Code): Iterable<Code> {
  if (typeof code === "string") {
    const shape = /^(?:parameter\(|graded\()?(?:rand|zeros|bernoulli\(full)\((\[[\d, ]*\])/.exec(code)?.[1];
    if (shape !== undefined && code !== `ones(${shape})`) yield `ones(${shape})`;
  } else if (!isList(code)) {
    for (const name of Object.keys(code))
      yield Object.fromEntries(Object.entries(code).filter(([other]) => other !== name));
  }
}
