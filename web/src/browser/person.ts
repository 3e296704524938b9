/** Somebody in a browser of their own, by what they see and do. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { PASSWORD, type Account } from "./account";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

declare global {
  interface Window {
    axe: { run: () => Promise<{ violations: { id: string; impact: string | null; nodes: { html: string }[] }[] }> };
  }
}

export class Person {
  readonly #account: Account | undefined;

  constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    /** What went wrong in any of their pages; see faults.ts. */
    readonly faults: readonly string[],
    account?: Account,
  ) {
    this.#account = account;
  }

  get account(): Account {
    if (this.#account === undefined) throw new Error("nobody that this test signed in");
    return this.#account;
  }

  get name(): string {
    return this.account.displayName;
  }

  get timeline(): Locator {
    return this.page.getByRole("log");
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: /^Message / });
  }

  get rooms(): Locator {
    return this.page.getByRole("navigation", { name: "Rooms" });
  }

  /** Another tab of the same browser. */
  async tab(path: string): Promise<Person> {
    const other = new Person(this.context, await this.context.newPage(), this.faults, this.#account);
    await other.page.goto(path);
    return other;
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** By the form, as a stranger does. */
  async register(name: string): Promise<void> {
    await this.page.goto("/register");
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByLabel("Username").fill(name);
    await this.page.getByLabel("E-mail").fill(`${name}@example.org`);
    await this.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await this.button("Create account").click();
    await this.page.waitForURL("/");
  }

  async openRoom(name: string): Promise<void> {
    await this.rooms.getByText(name, { exact: true }).click();
    await this.composer.waitFor();
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.page.keyboard.press("Enter");
  }

  async sees(text: string): Promise<void> {
    await this.timeline.getByText(text, { exact: true }).waitFor();
  }

  /** The row of a message. */
  message(text: string): Locator {
    const own = this.page.locator(".message-text", { hasText: text });
    return this.timeline.getByRole("article").filter({ has: own }); // and not those that quote it
  }

  /** Press a button of the bar that a message has under the pointer, or choose from its menu. */
  async act(text: string, action: string): Promise<void> {
    const row = this.message(text);
    await row.hover();
    const direct = row.getByRole("button", { name: action, exact: true });
    if ((await direct.count()) > 0) return direct.first().click();
    await row.getByRole("button", { name: "More", exact: true }).click();
    await this.page.getByRole("menuitem", { name: action }).click();
  }

  /** Those of the texts that the timeline shows, in its order, as often as it shows them. */
  async order(texts: readonly string[]): Promise<string[]> {
    const shown = (await this.timeline.innerText()).split("\n").map((line) => line.trim());
    return shown.filter((line) => texts.includes(line));
  }

  /** Take a theme. */
  async show(colorScheme: "light" | "dark"): Promise<void> {
    await this.page.emulateMedia({ colorScheme });
    await this.page.waitForFunction(
      (dark) => document.documentElement.classList.contains("dark") === dark,
      colorScheme === "dark",
    );
  }

  /** What axe finds that bars somebody from the page. */
  async seriousFaults(): Promise<string[]> {
    await this.page.evaluate(axe); // the debugger's way in, which the page's policy does not concern
    const { violations } = await this.page.evaluate(() => window.axe.run());
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
  }

  /** What can be moved sideways, but for code and bars that are made for it. */
  overflows(): Promise<string[]> {
    return this.page.evaluate(async () => {
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const scrollers = [...document.querySelectorAll("body *")].filter(
        (element) =>
          /auto|scroll/.test(getComputedStyle(element).overflowX) &&
          element.closest('pre, textarea, [class*="overflow-x-auto"]') === null,
      );
      return [document.documentElement, ...scrollers]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map((element) => `${element.tagName} ${element.className}: ${element.scrollWidth} > ${element.clientWidth}`);
    });
  }
}
