/** What a file of browser tests shares: one server, one Chromium, and the people in it, none of whom may meet a fault. */

import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { freePort, ParlourServer } from "@/realtime/testing/parlour-server";
import { Account } from "./account";
import { Person } from "./person";
import { watchFaults } from "./faults";

/** Chromium without its windows, which take half of its time and are no part of any test. */
const SHELL = "/usr/bin/chromium-headless-shell";
const CHROMIUM = process.env.CHROMIUM ?? (existsSync(SHELL) ? SHELL : "/usr/bin/chromium");

const FLAGS = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--auto-select-desktop-capture-source=Entire screen",
  "--autoplay-policy=no-user-gesture-required",
];

export interface StageOptions {
  /** Of the server, as environment variables. */
  settings?: Record<string, string>;
  /** What the console may say as an error, because the tests make it so. */
  expected?: RegExp;
}

export interface Visit extends BrowserContextOptions {
  /** Runs in each page before the client does. */
  script?: () => void;
  /** They are still there for the tests that follow, with what their browser has kept. */
  stays?: boolean;
}

export class Stage {
  readonly #people = new Set<Person>();
  readonly #staying = new Set<Person>();
  readonly #named: RegExp[] = [];
  #browser: Browser | undefined;
  #names = 0;

  constructor(
    readonly server: ParlourServer,
    readonly expected?: RegExp,
  ) {}

  get browser(): Browser {
    if (this.#browser === undefined) throw new Error("the stage is not open yet");
    return this.#browser;
  }

  async open(): Promise<void> {
    await this.server.start();
    this.#browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: FLAGS,
    });
  }

  /** What the console may say as an error until the end of the test, besides what it may in every one. */
  expect(error: RegExp): void {
    this.#named.push(error);
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    await this.server.remove();
  }

  /** A name that nobody has on this stage yet, also when the test is tried again. */
  name(beginning: string): string {
    this.#names += 1;
    return `${beginning}${this.#names}`;
  }

  /** An account, made by HTTP; `name` begins its name. */
  account(name: string, displayName?: string): Promise<Account> {
    return Account.register(this.server.origin, this.name(name), displayName);
  }

  /** A browser of somebody who is signed in, at `path`. */
  async enter(account: Account, { path = "/", ...visit }: Visit & { path?: string } = {}): Promise<Person> {
    const person = await this.stranger({ ...visit, storageState: await account.signIn() }, account);
    await person.page.goto(path);
    return person;
  }

  /** A browser of somebody who is not signed in, at no page yet. */
  async stranger({ script, stays = false, ...options }: Visit = {}, account?: Account): Promise<Person> {
    const context = await this.browser.newContext({
      baseURL: this.server.origin,
      reducedMotion: "reduce",
      locale: "en-GB",
      ...options,
    });
    context.setDefaultTimeout(60_000);
    const faults = await watchFaults(context, this.server.origin, (text) =>
      [...this.#named, this.expected].some((expected) => expected?.test(text) === true),
    );
    if (script !== undefined) await context.addInitScript(script);
    const person = new Person(context, await context.newPage(), faults, account);
    this.#people.add(person);
    if (stays) this.#staying.add(person);
    return person;
  }

  /** What everybody has before them, for the log of a test that failed. */
  async describe(): Promise<string> {
    const pages = [...this.#people].flatMap(({ context }) => context.pages());
    const seen = await Promise.all(
      pages.map(async (page) => {
        const outline = page.locator("body").ariaSnapshot({ timeout: 2_000 });
        return `${page.url()}\n${await outline.catch(String)}`;
      }),
    );
    return seen.join("\n\n");
  }

  /** Everybody leaves but those who stay; nobody may have met a fault. */
  async clear(): Promise<void> {
    const people = [...this.#people];
    const leaving = people.filter((person) => !this.#staying.has(person));
    await Promise.all(leaving.map(({ context }) => context.close()));
    for (const person of leaving) this.#people.delete(person);
    this.#named.length = 0;
    expect(people.flatMap(({ faults }) => faults.splice(0))).toEqual([]);
  }
}

/** The stage of a file: open around its tests, cleared after each. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const stage = new Stage(new ParlourServer(await freePort(), options.settings), options.expected);
  beforeAll(() => stage.open());
  afterEach(async ({ task }) => {
    // eslint-disable-next-line no-console -- all that is left of the page where the tests ran elsewhere
    if (task.result?.state === "fail") console.log(await stage.describe());
    await stage.clear();
  });
  afterAll(() => stage.close());
  return stage;
}
