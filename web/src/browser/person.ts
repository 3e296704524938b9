/** Somebody in a browser of their own, by what they see and do. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { BrowserContext, CDPSession, Locator, Page } from "playwright-core";
import { PASSWORD, type Account } from "./account";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

declare global {
  interface Window {
    axe?: {
      run: (
        options: object,
      ) => Promise<{ violations: { id: string; impact: string | null; nodes: { html: string }[] }[] }>;
    };
  }
}

/** Through what one looks at the client. */
export interface View {
  /** In CSS pixels. */
  width: number;
  height: number;
  letters?: number;
  dir?: "ltr" | "rtl";
}

export class Person {
  readonly #account: Account | undefined;
  #debugger: CDPSession | undefined;

  constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    /** What went wrong in any of their pages; see faults.ts. */
    readonly faults: string[],
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
    await this.#settled();
  }

  /**
   * What axe finds that bars somebody from the page; of `colours`, only what another theme changes. Colours on their way to another theme
   * and sheets on their way in are no fault.
   */
  async seriousFaults(of: "everything" | "colours" = "everything"): Promise<string[]> {
    await this.#settled();
    // By the debugger's way in, which the page's policy does not concern.
    if (await this.page.evaluate(() => window.axe === undefined)) await this.page.evaluate(axe);
    const violations = await this.page.evaluate(
      async (rules) => (await window.axe?.run({ resultTypes: ["violations"], ...rules }))?.violations,
      of === "colours" ? { runOnly: ["color-contrast", "link-in-text-block"] } : {},
    );
    if (violations === undefined) throw new Error("the page was left while axe looked at it");
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
  }

  /** Look through another window: with a finger for a pointer where it has one column, in letters of so many times the usual size. */
  async look({ width, height, letters = 1, dir = "ltr" }: View): Promise<void> {
    this.#debugger ??= await this.context.newCDPSession(this.page);
    await this.#debugger.send("Emulation.setTouchEmulationEnabled", { enabled: width < 768 });
    // As in the settings of a browser, which media queries in `rem` follow; those look again when the window's size changes.
    await this.#debugger.send("Page.setFontSizes", { fontSizes: { standard: 16 * letters, fixed: 13 * letters } });
    await this.page.setViewportSize({ width, height });
    await this.page.evaluate((direction) => {
      document.documentElement.dir = direction;
    }, dir);
  }

  /**
   * What does not fit where it is, but for code and bars that are made to be moved sideways: what can be moved sideways, if only by the
   * focus as in a column that hides it; texts wider than their box; names of which an ellipsis leaves less than four letters' width;
   * controls that are cut off, and windows that are not whole.
   */
  async overflows(): Promise<string[]> {
    await this.#settled();
    return this.page.evaluate(() => {
      const elements = (selector: string) =>
        [...document.querySelectorAll<HTMLElement>(selector)].filter(
          (element) => element.closest('pre, textarea, [class*="overflow-x-auto"]') === null,
        );
      const said = (fault: string, found: HTMLElement[]) =>
        found.map((element) => {
          const { scrollWidth, clientWidth } = element;
          const opening = (element.cloneNode() as Element).outerHTML;
          return `${fault} (${scrollWidth} in ${clientWidth}): ${opening.slice(0, 200)} ${element.textContent.slice(0, 40)}`;
        });
      const wide = ({ scrollWidth, clientWidth }: Element) => scrollWidth > clientWidth && clientWidth > 1;
      const moves = (element: Element) => {
        const { overflowX, overflowY } = getComputedStyle(element);
        return /auto|scroll/.test(`${overflowX} ${overflowY}`);
      };
      const isCut = (element: Element) => {
        const { left, right, top, bottom, width } = element.getBoundingClientRect();
        if (width <= 1) return false; // one pixel is for those who hear the page
        if (left < -1 || right > window.innerWidth + 1) return true;
        for (let box = element.parentElement; box !== null && !moves(box); box = box.parentElement) {
          if (getComputedStyle(box).overflowX === "visible") continue;
          const edge = box.getBoundingClientRect();
          if (left < edge.left - 1 || right > edge.right + 1 || top < edge.top - 1 || bottom > edge.bottom + 1)
            return true;
        }
        return false;
      };
      const isOut = (element: Element) => {
        const { top, bottom } = element.getBoundingClientRect();
        return top < -1 || bottom > window.innerHeight + 1;
      };
      // A message's first line is as narrow as its column leaves it.
      const hardly = (element: Element) =>
        element.clientWidth < 4 * Number.parseFloat(getComputedStyle(element).fontSize) &&
        !element.matches("input, select, [role=log] *");
      const ellipsed = elements("body *").filter(
        (element) => wide(element) && getComputedStyle(element).textOverflow === "ellipsis",
      );
      const texts = elements("button:not([role=switch]), a, label, p, h1, h2, h3, dt, dd").filter(wide);
      return [
        ...said("moves sideways", [document.documentElement, ...elements("body *").filter(moves)].filter(wide)),
        ...said(
          "wider than its box",
          texts.filter((element) => !ellipsed.includes(element)),
        ),
        ...said("hardly any of it left", ellipsed.filter(hardly)),
        ...said("cut off", elements("button, a, input, select, label, [role=tab]").filter(isCut)),
        ...said("not whole", elements("[role=dialog], [role=alertdialog]").filter(isOut)),
      ];
    });
  }

  /** Nothing is on its way any more: it is drawn, and what comes in has come. */
  async #settled(): Promise<void> {
    await this.page.evaluate(async () => {
      const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
      await frame();
      await frame();
      const ends = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
      await Promise.allSettled(ends.map(({ finished }) => finished));
    });
  }
}
