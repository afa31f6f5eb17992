/** The built page as a static host serves it: some folder below the root, nothing else. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".bin": "application/octet-stream",
};
const PREFIX = "/somewhere/below/";

/** The address of the page, and a function that ends the server. */
export async function serve(folder) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = normalize(pathname.slice(PREFIX.length)) === "." ? "index.html" : pathname.slice(PREFIX.length);
    try {
      if (!pathname.startsWith(PREFIX)) throw new Error(`outside ${PREFIX}`);
      const content = readFileSync(join(folder, path));
      response.writeHead(200, { "content-type": TYPES[extname(path)] }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}${PREFIX}`,
    close: () => server.close().closeAllConnections(),
  };
}
