/** From the start of a navigation until somebody can write: the field is there and has taken a key press. The CPU is four times slower. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext } from "playwright-core";
import { report } from "./ledger";
import { anonymous, COMPOSER, openRoom, signedIn, type World } from "./world";

const SLOWER = 4;
const REFERENCE = "a page of one text field, from a bare Node server";
const LOGIN = "input[name=login]";
const WITHIN = 120_000;
/** One after the other, so that a draft of before does not pass for the key. */
const KEYS = "abcdefghijklmnopqrstuvwxyz";

let pressed = 0;

/** ms from the start of a navigation: until a key was taken, the application had taken over what the page showed, messages were shown. */
interface Load {
  usable: number;
  taken: number;
  messages: number;
}

/** What a page is waited for. */
interface Wanted {
  /** A selector. */
  field: string;
  /** The page is the application's: the key must be in its own field in the end. */
  ours?: boolean;
  /** Messages are shown in the end. */
  withMessages?: boolean;
  /** The field does not count before messages are shown. */
  messagesFirst?: boolean;
}

export async function loads(browser: Browser, world: World, repeats: number): Promise<void> {
  const [cold, login, warm, offline, empty]: Load[][] = [[], [], [], [], []];
  const room = `/r/${world.room_id}`;
  const inRoom: Wanted = { field: COMPOSER, ours: true, withMessages: true };
  const bare = await serveField();
  for (let repeat = 0; repeat < repeats; repeat++) {
    const nobody = await anonymous(browser, world);
    empty?.push(await load(nobody, bare.url, { field: "textarea" }));
    await nobody.close();

    const stranger = await anonymous(browser, world);
    login?.push(await load(stranger, "/login", { field: LOGIN, ours: true }));
    await stranger.close();

    const member = await signedIn(browser, world);
    cold?.push(await load(member, room, inRoom));
    await keepContent(member, world);
    warm?.push(await load(member, room, inRoom));
    await member.setOffline(true);
    offline?.push(await load(member, room, { ...inRoom, messagesFirst: true }));
    await member.close();
  }
  bare.close();
  const beside = { unit: "ms", reference: REFERENCE, others: (empty ?? []).map(({ usable }) => usable) };
  for (const [name, of] of Object.entries({ cold, login, warm, offline })) {
    const figure = name === "login" ? "web_cold_load_login" : `web_${name}_load`;
    report({ name: figure, values: (of ?? []).map(({ usable }) => usable), ...beside });
    report({ name: `${figure}_taken_over`, values: (of ?? []).map(({ taken }) => taken), unit: "ms" });
    if (name === "cold" || name === "warm")
      report({ name: `${figure}_messages`, values: (of ?? []).map(({ messages }) => messages), unit: "ms" });
  }
}

/** Let the service worker take over, and the device keep the room's messages. */
async function keepContent(context: BrowserContext, world: World): Promise<void> {
  const page = await context.newPage();
  await openRoom(page, world.room_id);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForTimeout(6_000); // windows are saved every 5 s
  await page.close();
}

/**
 * Load a page until its field has taken a key, then, which is not in that time, until the application has taken over.
 *
 * Throws where the key is not in the application's own field in the end.
 */
async function load(context: BrowserContext, url: string, wanted: Wanted): Promise<Load> {
  const key = KEYS.charAt(pressed++ % KEYS.length);
  const page = await context.newPage();
  page.setDefaultTimeout(WITHIN);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.addInitScript(watch, wanted);
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction(() => window.bench?.field !== undefined, undefined, { polling: "raf" });
  await page.keyboard.press(key);
  await page.waitForFunction(() => window.bench?.usable !== undefined, undefined, { polling: "raf" });
  const { ours = false, withMessages = false, field } = wanted;
  if (ours) await page.waitForFunction(() => window.bench?.taken !== undefined);
  if (withMessages) await page.waitForFunction(() => window.bench?.messages !== undefined);
  const typed = await page.evaluate(
    ([selector, last]) => document.querySelector<HTMLInputElement>(selector)?.value.endsWith(last),
    [ours ? `#root ${field}` : field, key] as const,
  );
  if (typed !== true) throw new Error(`${url}: the key that was pressed is not in the page's field`);
  const { usable = NaN, taken = NaN, messages = NaN } = (await page.evaluate(() => window.bench)) ?? {};
  await page.close();
  return { usable, taken, messages };
}

declare global {
  interface Window {
    bench?: Partial<Load> & { field?: Element };
  }
}

/**
 * Runs in the page, frame by frame: notes when the field is there, gives it the focus, and notes when it has taken a key, when the field
 * is the application's, and when messages are shown.
 */
function watch({ field, messagesFirst = false }: Wanted): void {
  const bench: NonNullable<Window["bench"]> = {};
  window.bench = bench;
  // Whichever field has the focus by then: the page's first, or already the application's.
  document.addEventListener("input", () => (bench.usable ??= performance.now()));
  const look = () => {
    const found = document.querySelector<HTMLElement>(field);
    if (document.querySelector("[role=log] article") !== null) bench.messages ??= performance.now();
    if (document.querySelector(`#root ${field}`) !== null && document.getElementById("early") === null)
      bench.taken ??= performance.now();
    if (bench.field === undefined && found !== null && (!messagesFirst || bench.messages !== undefined)) {
      found.focus();
      bench.field = found;
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

async function serveField(): Promise<{ url: string; close: () => void }> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html").end("<!doctype html><title>field</title><textarea></textarea>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
