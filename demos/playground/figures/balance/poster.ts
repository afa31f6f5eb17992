/** The pole two seconds after a kick, when its policy has learned; the build learns it as the page does. */
import type { Poster } from "../figure.ts";
import { type BalanceOrder, run } from "../worker/tasks/balance.ts";
import { balanceHeight, paintBalance } from "./paint.ts";
import { Scene } from "./scene.ts";

export const scene = new Scene();
const turns = run({ seed: 0, updates: 0, still: true }, (message) => scene.show(message));
const next = (...orders: BalanceOrder[]): void => void turns.next(orders);
next();
next({ kind: "learn" });
while (scene.phase === "learning") next();
next({ kind: "kick", turn: 0.7 });

/** Controls, readings and the sentence, on a desktop and on a phone. */
const FOOT = { wide: 163, narrow: 253 };

export const poster: Poster = {
  heightFor: (width) => balanceHeight(width) + (width < 600 ? FOOT.narrow : FOOT.wide),
  paint: (pen, width, _height, palette) => paintBalance(pen, scene, width, palette),
};
