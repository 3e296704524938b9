/** Two people in two real browsers, with the client as it is built, against the real server (`npm run test:server`). */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { freePort, ParlourServer } from "@/realtime/testing/parlour-server";

const server = new ParlourServer(await freePort());
const WITHIN = { timeout: 20_000 };
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

declare global {
  interface Window {
    axe: { run: () => Promise<{ violations: { id: string; impact: string | null; nodes: { html: string }[] }[] }> };
  }
}

class Person {
  readonly errors: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async register(browser: Browser, name: string): Promise<Person> {
    const context = await browser.newContext({ baseURL: server.origin, reducedMotion: "reduce" });
    const page = await context.newPage();
    const person = new Person(context, page);
    page.on("console", (message) => {
      // What the network refuses while it is away, the browser reports by itself.
      if (message.type() === "error" && !/ERR_|WebSocket|Failed to load resource/.test(message.text()))
        person.errors.push(message.text());
    });
    page.on("pageerror", (error) => person.errors.push(error.message));
    await page.goto("/register");
    await page.getByLabel("Your name").fill(name);
    await page.getByLabel("Username").fill(name);
    await page.getByLabel("E-mail").fill(`${name}@example.org`);
    await page.getByLabel("Password", { exact: true }).fill("a few words together");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForURL("/");
    return person;
  }

  get timeline() {
    return this.page.getByRole("log");
  }

  async say(text: string): Promise<void> {
    await this.page.getByRole("textbox", { name: /^Message / }).fill(text);
    await this.page.keyboard.press("Enter");
  }

  async sees(text: string): Promise<void> {
    await this.timeline.getByText(text, { exact: true }).waitFor(WITHIN);
  }

  /** Those of the texts that the timeline shows, in its order, as often as it shows them. */
  async order(texts: readonly string[]): Promise<string[]> {
    const shown = (await this.timeline.innerText()).split("\n").map((line) => line.trim());
    return shown.filter((line) => texts.includes(line));
  }

  async seriousFaults(): Promise<string[]> {
    await this.page.evaluate(axe); // the debugger's way in, which the page's policy does not concern
    const { violations } = await this.page.evaluate(() => window.axe.run());
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ""}`);
  }
}

async function post(path: string, body: object, token = ""): Promise<{ access_token: string; user: { id: string } }> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const answer = await fetch(server.origin + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as { access_token: string; user: { id: string } };
}

async function openDirectRoom(from: string, to: string): Promise<void> {
  const password = "a few words together";
  const { access_token } = await post("/api/auth/login", { login: from, password });
  const { user } = await post("/api/auth/login", { login: to, password });
  await post("/api/rooms", { kind: "direct", members: [user.id] }, access_token);
}

let browser: Browser;
let ann: Person;
let ben: Person;
let pairs = 0;

beforeAll(async () => {
  await server.start();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
  });
});

afterAll(async () => {
  await browser.close();
  await server.remove();
});

beforeEach(async () => {
  pairs += 1;
  [ann, ben] = [await Person.register(browser, `ann${pairs}`), await Person.register(browser, `ben${pairs}`)];
  await openDirectRoom(`ann${pairs}`, `ben${pairs}`);
  await ann.page.getByRole("navigation", { name: "Rooms" }).getByText(`ben${pairs}`).click();
  await ann.say("first");
  await ann.sees("first");
  await ben.page.getByRole("navigation", { name: "Rooms" }).getByText(`ann${pairs}`).click();
  await ben.sees("first");
});

afterEach(async () => {
  for (const person of [ann, ben]) {
    expect(person.errors).toEqual([]);
    await person.context.close();
  }
});

describe("two people", () => {
  test("talk both ways, in the same order", async () => {
    await ben.say("second");
    await ann.sees("second");
    await ann.say("third");
    await ben.sees("third");
    const texts = ["first", "second", "third"];
    expect(await ann.order(texts)).toEqual(texts);
    expect(await ben.order(texts)).toEqual(texts);
  });

  test("miss nothing when one writes without a network, reloads, and comes back", async () => {
    const texts = ["one", "two", "three"];
    await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await ann.context.setOffline(true);
    for (const text of texts) await ann.say(text);
    await ann.sees("three");
    await ann.page.reload();
    await ann.sees("three");
    await ann.context.setOffline(false);
    await ben.sees("three");
    expect(await ben.order(texts)).toEqual(texts);
    expect(await ann.order(texts)).toEqual(texts);
  });

  test("go on when the server is killed and comes back", async () => {
    const texts = ["before", "while it is away", "after"];
    await ann.say("before");
    await ben.sees("before");
    await server.stop();
    await ann.say("while it is away");
    await server.start();
    await ben.sees("while it is away");
    await ben.say("after");
    await ann.sees("after");
    expect(await ann.order(texts)).toEqual(texts);
    expect(await ben.order(texts)).toEqual(texts);
  });

  test("begin at what is new, and have read it only once they were at the end", async () => {
    await ann.page.goto("/rooms");
    for (let index = 0; index < 30; index += 1) await ben.say(`line ${index}`);
    await ben.sees("line 29");
    await ann.page.getByRole("navigation", { name: "Rooms" }).getByText("30", { exact: true }).waitFor(WITHIN);
    await ann.page.getByRole("navigation", { name: "Rooms" }).getByText(`ben${pairs}`).click();
    const line = ann.timeline.getByRole("separator", { name: "New" });
    await expect.poll(() => line.boundingBox().then((box) => box?.y ?? 0), WITHIN).toBeGreaterThan(52);
    await expect.poll(() => line.boundingBox().then((box) => box?.y ?? 999), WITHIN).toBeLessThan(250);
    await ann.page.reload();
    await line.waitFor(WITHIN);
    await ann.page.getByRole("button", { name: /new messages$/ }).click();
    await ann.sees("line 29");
    await expect.poll(() => ann.page.title(), WITHIN).not.toContain("30");
    await ann.page.reload();
    await ann.sees("line 29");
    expect(await line.count()).toBe(0);
  });

  test("see a view without serious faults for assistive technology, in both themes", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await ann.page.emulateMedia({ colorScheme });
      expect(await ann.seriousFaults()).toEqual([]);
    }
  });
});
