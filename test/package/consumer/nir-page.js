/** Sends the result of a round trip through a NIR file to the test. */
import { roundTrip } from "./nir.js";

await fetch("/result", { method: "POST", body: JSON.stringify(await roundTrip()) });
