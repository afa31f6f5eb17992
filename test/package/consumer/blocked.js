/** Shows the error that a user gets where the content policy forbids WebAssembly. */
try {
  await import("./train.js");
  document.body.textContent = "imported";
} catch (error) {
  document.body.textContent = error.message;
}
