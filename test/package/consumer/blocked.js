/** Sends the error that a user gets where the content policy forbids WebAssembly. */
const seen = await import("./train.js").then(
  () => "no error",
  ({ message }) => message,
);
await fetch("/result", { method: "POST", body: JSON.stringify(seen) });
