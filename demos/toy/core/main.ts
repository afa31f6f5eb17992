/**
 * Trains the toy by `jarvis-snn/core`, as a page does that counts kilobytes.
 *
 *   node build/demos/toy/core/main.js --encode ttfs
 */
import { readFlags } from "../../options.ts";
import type { Encoding } from "../settings.ts";
import { PAGE, trainPage } from "./network.ts";

const { encode, epochs } = readFlags("Trains the toy by the entry without the compiler.", {
  encode: { kind: "choice", default: PAGE.encode as string, of: ["poisson", "ttfs", "constant"], help: "spike code" },
  epochs: { kind: "integer", default: PAGE.epochs, min: 1, help: "passes over the training set" },
});

await trainPage(
  { ...PAGE, encode: encode as Encoding, epochs },
  {
    onEpoch({ epoch, loss, validation = Number.NaN }) {
      console.log(`epoch=${epoch} loss=${loss.toFixed(4)} test_acc=${validation.toFixed(4)}`);
    },
  },
);
