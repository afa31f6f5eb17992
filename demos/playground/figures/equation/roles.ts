/** Which colour a quantity has: the membrane is blue, and a state keeps its colour for as long as it is in the text. */
import type { Palette } from "../../draw/palette.ts";
import type { Equations } from "./language.ts";

type Role = "current" | "spike" | "membrane" | "second" | "third" | "fourth";

const OTHERS = ["second", "third", "fourth"] as const;

/** Roles of names. States that are new take colours that no other state has. */
export class Roles {
  private taken = new Map<string, Role>();

  /** The names of these equations from now on. */
  assign({ states, membrane, body, spike }: Equations): void {
    const before = this.taken;
    const roles = new Map<string, Role>([["I", "current"]]);
    if (spike !== null) roles.set(spike, "spike");
    roles.set(body, "membrane").set(membrane, "membrane");
    const others = states.filter((name) => !roles.has(name));
    const kept = others.filter((name) => OTHERS.some((role) => role === before.get(name)));
    for (const name of kept) {
      const role = before.get(name) as Role;
      if (![...roles.values()].includes(role)) roles.set(name, role);
    }
    for (const name of others) {
      if (roles.has(name)) continue;
      roles.set(name, OTHERS.find((role) => ![...roles.values()].includes(role)) ?? "fourth");
    }
    this.taken = roles;
  }

  of(name: string | null): Role | null {
    return (name !== null && this.taken.get(name)) || null;
  }
}

/** The colour of a role in a palette. */
export const colorOf = (role: Role | null, palette: Palette): string => {
  if (role === null || role === "spike") return palette.ink;
  return role === "fourth" ? palette.number : palette[role];
};
