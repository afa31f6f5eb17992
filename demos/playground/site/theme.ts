/** Sets the chosen look, and whether the page stands in a frame of another one, before anything is drawn. */
const chosen = localStorage.getItem("theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
if (new URLSearchParams(location.search).get("embed") === "1") document.documentElement.dataset.embed = "";
