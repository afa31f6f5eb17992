/**
 * A client of browsers that take the commands of W3C WebDriver, over two transports: HTTP, as WebKitWebDriver serves it, and Marionette,
 * the TCP protocol of Firefox.
 *
 * @see https://www.w3.org/TR/webdriver2/
 * @see https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
 */
import { connect } from "node:net";

/** The commands that tests need, by their names in Marionette: method and path of HTTP, below the session. */
const COMMANDS = {
  NewSession: ["POST", ""],
  Navigate: ["POST", "/url"],
  NewWindow: ["POST", "/window/new"],
  CloseWindow: ["DELETE", "/window"],
  SwitchToWindow: ["POST", "/window"],
  ExecuteAsyncScript: ["POST", "/execute/async"],
  TakeScreenshot: ["GET", "/screenshot"],
};

/** Callers have shorter limits, whose errors show the log of the browser. */
const timeouts = { script: 600_000, pageLoad: 600_000 };

/** A session of the server at a port of this machine; `log()` is the output of the browser, for errors. */
export async function overHTTP(port, log, capabilities) {
  let session = `http://127.0.0.1:${port}/session`;
  const send = told(log, async (command, parameters) => {
    const [method, path] = COMMANDS[command];
    const body = method === "POST" ? JSON.stringify(parameters) : null;
    // One connection per command: WebKitWebDriver sometimes crashes if a connection serves several.
    const headers = { "content-type": "application/json", connection: "close" };
    const response = await fetch(session + path, { method, body, headers });
    const { value } = await response.json();
    if (!response.ok) throw refused(value);
    return value;
  });
  const { sessionId } = await send("NewSession", { capabilities: { alwaysMatch: { ...capabilities, timeouts } } });
  session += `/${sessionId}`;
  return client(send);
}

/** A session of the Firefox at a port of this machine; `log()` is its output, for errors. */
export async function overMarionette(port, log) {
  const socket = connect(port, "127.0.0.1");
  const answers = messages(socket);
  await answers.next(); // Firefox speaks first
  let count = 0;
  const send = told(log, async (command, parameters) => {
    const text = JSON.stringify([0, ++count, `WebDriver:${command}`, parameters]);
    socket.write(`${Buffer.byteLength(text)}:${text}`);
    const { value } = await answers.next();
    const [, , error, result] = value;
    if (error !== null) throw refused(error);
    return "value" in result ? result.value : result;
  });
  await send("NewSession", { timeouts });
  return client(send);
}

/** The messages `length:JSON` of a stream, in their order. */
async function* messages(socket) {
  let received = Buffer.alloc(0);
  for await (const part of socket) {
    received = Buffer.concat([received, part]);
    for (let start = received.indexOf(":") + 1; start > 0; start = received.indexOf(":") + 1) {
      const end = start + Number(received.subarray(0, start - 1));
      if (received.length < end) break;
      yield JSON.parse(received.subarray(start, end));
      received = received.subarray(end);
    }
  }
  throw new Error("expected an answer, got the end of the connection");
}

const refused = ({ error, message }) => new Error(`${error}: ${message}`);

/** Sends commands, with the log of the browser in errors. */
const told = (log, send) => (command, parameters) =>
  send(command, parameters).catch(({ message, cause }) => {
    throw new Error(`webdriver: ${command}: ${message}${cause === undefined ? "" : `, ${cause.message}`}\n${log()}`);
  });

function client(send) {
  async function run(body, ...args) {
    const script = `
      const [args, done] = arguments;
      (async () => (${body})(...args))().then(
        (value = null) => done({ value }),
        (error) => done({ error: error + "\\n" + error?.stack }),
      );`;
    const answer = await send("ExecuteAsyncScript", { script, args: [args] });
    if (answer === null) throw new Error("webdriver: the document was unloaded before it answered");
    const { value, error } = answer;
    if (error !== undefined) throw new Error(`webdriver: the page throws ${error}`);
    return value;
  }

  async function navigate(url) {
    await send("Navigate", { url });
    // WebKit reports success for an address that does not load, and shows an error page without an address. Firefox has an empty page
    // without an address between a page that redirects and its target.
    const why = await run(() => (location.href === "about:blank" ? document.body?.textContent : "")).catch((error) => {
      // A page that redirects at once counts as loaded; Firefox then returns null or an error.
      if (/document was unloaded/i.test(error.message)) return "";
      throw error;
    });
    if (why) throw new Error(`webdriver: ${url} does not load: ${why}`);
  }

  return {
    navigate,
    /** Closes the tab, and opens another one at an address. */
    async renew(url) {
      const { handle } = await send("NewWindow", { type: "tab" });
      await send("CloseWindow", {});
      await send("SwitchToWindow", { handle });
      await navigate(url);
    },
    /** The result of a function, or of its promise, that runs in the page with these arguments, all of which JSON can hold. */
    run,
    /** The visible part of the page, as PNG. */
    screenshot: async () => Buffer.from(await send("TakeScreenshot", { full: false }), "base64"),
  };
}
