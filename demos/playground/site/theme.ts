/** Sets the chosen look, and whether the page stands in a frame of another one, before anything is drawn. */
import { remembered } from "../ui/remembered.ts";

const chosen = remembered("theme", ["light", "dark"]);
if (chosen !== null) document.documentElement.dataset.theme = chosen;
if (new URLSearchParams(location.search).get("embed") === "1") document.documentElement.dataset.embed = "";
