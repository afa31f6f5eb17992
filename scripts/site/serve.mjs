/** A server of files for a look at the site. */
import { execFile } from "node:child_process";
import { preview } from "vite";

/** Serves a folder on a free port of this machine; returns its address. */
export async function serveFolder(folder) {
  const server = await preview({
    configFile: false,
    root: folder,
    build: { outDir: folder },
    preview: { port: 4173 },
    appType: "mpa",
  });
  return server.resolvedUrls.local[0];
}

/** Opens an address in the browser of whoever runs the command. */
export function openInBrowser(address) {
  const command = { darwin: "open", win32: "explorer" }[process.platform] ?? "xdg-open";
  execFile(command, [address], () => {});
}
