/** The page of firing patterns and the cards, in a browser. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressOf, contextOf, DESKTOP, open as openPage, PHONE } from "./support.mjs";

const CARDS = { "card-equation": "equation/", "card-zoo": "zoo/", "card-boundary": "play/" };

/** The page, whose figure lives; when the test ends, nothing may have gone wrong on it. */
async function open(t, options = DESKTOP) {
  const page = await openPage(t, "/a/b/", "zoo/", options);
  await page.locator("snn-figure[name=zoo][data-lives] canvas").first().waitFor();
  return page;
}

/** Puts a card at the beginning of the page. */
async function addCard(page, name) {
  await page.evaluate((name) => {
    const card = document.createElement("snn-figure");
    card.setAttribute("name", name);
    // Its poster, as the build writes one into each figure.
    card.append(document.createElement("p"));
    document.querySelector("main").prepend(card);
  }, name);
  await page.locator(`snn-figure[name=${name}][data-lives] canvas`).waitFor();
}

const GRID = "snn-figure[name=zoo] .host canvas";

const pictureOf = (page, canvas) =>
  page
    .locator(canvas)
    .first()
    .evaluate((canvas) => canvas.toDataURL());

const changes = (page, canvas, from) =>
  page.waitForFunction(([canvas, from]) => document.querySelector(canvas).toDataURL() !== from, [canvas, from]);

/** Lets the page paint so many times. */
const frames = (page, count) =>
  page.evaluate(async (count) => {
    for (let i = 0; i < count; i++) await new Promise((painted) => requestAnimationFrame(painted));
  }, count);

/** What the page sees when another tab is chosen. */
const setHidden = (page, isHidden) =>
  page.evaluate(
    (state) => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    },
    isHidden ? "hidden" : "visible",
  );

async function assertStill(page, canvas) {
  await frames(page, 5);
  const before = await pictureOf(page, canvas);
  await frames(page, 30);
  assert.ok((await pictureOf(page, canvas)) === before, `${canvas} has changed`);
}

describe("zoo", () => {
  test("the pictures live, rest while the page is hidden, and live again", async (t) => {
    const page = await open(t);
    assert.equal(await page.locator(".zoo-cell").count(), 28);
    await changes(page, GRID, await pictureOf(page, GRID));
    await setHidden(page, true);
    await assertStill(page, GRID);
    await setHidden(page, false);
    await changes(page, GRID, await pictureOf(page, GRID));
  });

  test("a drawn current, a press and keys change what all neurons do", async (t) => {
    const page = await open(t, { ...DESKTOP, reducedMotion: "reduce" });
    await assertStill(page, GRID);
    const own = await pictureOf(page, GRID);
    const box = await page.locator(".zoo-drive").boundingBox();
    await page.mouse.move(box.x + 0.1 * box.width, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.9 * box.width, box.y + 20, { steps: 5 });
    await page.mouse.up();
    await page.mouse.move(0, 0);
    await changes(page, GRID, own);
    const drawn = await pictureOf(page, GRID);
    assert.equal(await page.locator("[aria-pressed=true]").count(), 0);
    await page.getByRole("button", { name: "Each its own" }).click();
    await changes(page, GRID, drawn);
    await frames(page, 2);
    assert.ok((await pictureOf(page, GRID)) === own);
    const slider = page.getByRole("slider", { name: /current for all/i });
    await slider.focus();
    for (const key of ["ArrowRight", "ArrowUp", "ArrowUp"]) await page.keyboard.press(key);
    assert.equal(await slider.getAttribute("aria-valuenow"), "0.2");
    await changes(page, GRID, own);
  });

  test("a dot of the plane is moved by keys and by a drag, and back", async (t) => {
    const page = await open(t, { ...DESKTOP, reducedMotion: "reduce" });
    const own = await pictureOf(page, GRID);
    await page.locator(".zoo-plane").focus();
    for (const key of ["PageDown", "ArrowUp", "ArrowUp", "ArrowUp"]) await page.keyboard.press(key);
    await changes(page, GRID, own);
    assert.equal(await page.locator(".zoo-cell.marked").textContent(), "Tonic spiking100 ms");
    const back = page.getByRole("button", { name: "Put the dots back" });
    await back.click();
    await page.waitForFunction(([canvas, own]) => document.querySelector(canvas).toDataURL() === own, [GRID, own]);
    // The dot of the depolarizing afterpotential, at a = 1 and b = 0.2, has no other one near.
    const box = await page.locator(".zoo-plane").boundingBox();
    await page.mouse.move(box.x + box.width - 13, box.y + 48);
    await page.locator(".zoo-cell.marked", { hasText: "Depolarizing afterpotential" }).waitFor();
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + 40, { steps: 4 });
    await page.mouse.up();
    await changes(page, GRID, own);
    await back.waitFor();
  });

  test("a press on a pattern opens its equation", async (t) => {
    const page = await open(t);
    // The page of equations has a walk of its own.
    await page.route(/\/equation\/$/, (route) => route.fulfill({ contentType: "text/html", body: "" }));
    await page.getByRole("link", { name: "Tonic bursting" }).click();
    await page.waitForURL(/\/a\/b\/equation\/#text=.*&current=/);
  });

  test("on a phone there are two columns, and nothing is wider than the window", async (t) => {
    const page = await open(t, PHONE);
    const lefts = await page
      .locator(".zoo-cells")
      .first()
      .evaluate((cells) => [
        ...new Set([...cells.children].map((cell) => Math.round(cell.getBoundingClientRect().left))),
      ]);
    assert.equal(lefts.length, 2);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
  });
});

describe("cards", () => {
  for (const [name, target] of Object.entries(CARDS)) {
    test(`${name} lives, rests while the page is hidden, and leads to its page`, async (t) => {
      const page = await open(t);
      await addCard(page, name);
      const canvas = `snn-figure[name=${name}] canvas`;
      await changes(page, canvas, await pictureOf(page, canvas));
      await setHidden(page, true);
      await assertStill(page, canvas);
      await setHidden(page, false);
      await changes(page, canvas, await pictureOf(page, canvas));
      const href = await page.locator(`snn-figure[name=${name}] a`).evaluate((link) => link.href);
      assert.equal(href, addressOf("/a/b/", "") + target);
    });
  }

  test("without motion the boundary is learned at a press alone", async (t) => {
    const page = await open(t, { ...DESKTOP, reducedMotion: "reduce" });
    await addCard(page, "card-boundary");
    const figure = page.locator("snn-figure[name=card-boundary] .figure");
    const canvas = "snn-figure[name=card-boundary] canvas";
    await page.waitForFunction(() => document.querySelector(".figure-card-boundary").dataset.steps === "0");
    await assertStill(page, canvas);
    await figure.getByRole("button", { name: "Let it learn" }).click();
    await page.waitForFunction(() => Number(document.querySelector(".figure-card-boundary").dataset.steps) > 0);
  });

  test("a worker that does not load is told", async (t) => {
    const page = await (await contextOf(t)).newPage();
    await page.route(/\/worker-[\w-]+\.js$/, (route) => route.fulfill({ status: 404 }));
    await page.goto(`${addressOf("/a/b/", "")}zoo/`);
    await addCard(page, "card-boundary");
    await page.locator("snn-figure[name=card-boundary] [role=alert]").waitFor();
    const text = await page.locator("snn-figure[name=card-boundary] [role=alert]").textContent();
    assert.match(text, /does not load/);
  });
});
