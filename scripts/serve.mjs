/** Built pages as a static host serves them: from some folder below the root, without rewriting rules. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".png": "image/png",
  ".xml": "application/xml",
  ".bin": "application/octet-stream",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** Options of servers that close no connection by a clock: a browser may send its next request at that moment, which is then lost. */
export const PATIENT = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 };

/**
 * Serves a folder below a prefix, all files with these headers; `answer` may give another content for a path. Returns the address of the first
 * page, and a function that ends the server.
 */
export async function serve(folder, prefix = "/somewhere/below/", headers = {}, answer = () => undefined) {
  const server = createServer(PATIENT, (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = decodeURI(pathname.slice(prefix.length)).replace(/(^|\/)$/, "$1index.html");
    try {
      if (!pathname.startsWith(prefix) || normalize(path).startsWith("..")) throw new Error(`outside ${prefix}`);
      const content = answer(path) ?? readFileSync(join(folder, path));
      response.writeHead(200, { "content-type": TYPES[extname(path)], ...headers }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}${prefix}`,
    close: () => server.close().closeAllConnections(),
  };
}
