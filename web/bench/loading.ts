/** From the start of a navigation until somebody can write: the field is there and has taken a key press. The CPU is four times slower. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { report } from "./ledger";
import { anonymous, COMPOSER, openRoom, signedIn, type World } from "./world";

const SLOWER = 4;
const REFERENCE = "a page of one text field, from a bare Node server";
const LOGIN = "input[name=login]";

interface Loads {
  cold: number[];
  login: number[];
  warm: number[];
  offline: number[];
  empty: number[];
}

export async function loads(browser: Browser, world: World, repeats: number): Promise<void> {
  const times: Loads = { cold: [], login: [], warm: [], offline: [], empty: [] };
  const room = `/r/${world.room_id}`;
  const bare = await serveField();
  for (let repeat = 0; repeat < repeats; repeat++) {
    const empty = await anonymous(browser, world);
    times.empty.push(await usable(empty, bare.url, "textarea"));
    await empty.close();

    const stranger = await anonymous(browser, world);
    times.login.push(await usable(stranger, "/login", LOGIN));
    await stranger.close();

    const member = await signedIn(browser, world);
    times.cold.push(await usable(member, room, COMPOSER));
    await keepContent(member, world);
    times.warm.push(await usable(member, room, COMPOSER));
    await member.setOffline(true);
    times.offline.push(await usable(member, room, COMPOSER, { withMessages: true }));
    await member.close();
  }
  bare.close();
  const beside = { unit: "ms", reference: REFERENCE, others: times.empty };
  report({ name: "web_cold_load", values: times.cold, ...beside });
  report({ name: "web_cold_load_login", values: times.login, ...beside });
  report({ name: "web_warm_load", values: times.warm, ...beside });
  report({ name: "web_offline_load", values: times.offline, ...beside });
}

/** Let the service worker take over, and the device keep the room's messages. */
async function keepContent(context: BrowserContext, world: World): Promise<void> {
  const page = await context.newPage();
  await openRoom(page, world.room_id);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.waitForTimeout(6_000); // windows are saved every 5 s
  await page.close();
}

/** ms from the start of the navigation to the first key that the field has taken. */
async function usable(
  context: BrowserContext,
  url: string,
  field: string,
  { withMessages = false } = {},
): Promise<number> {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.addInitScript(watch, { field, withMessages });
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction(() => window.benchField !== undefined, undefined, { polling: "raf" });
  await page.keyboard.press("x");
  const at = await typedAt(page);
  await page.close();
  return at;
}

async function typedAt(page: Page): Promise<number> {
  const handle = await page.waitForFunction(() => window.benchTyped, undefined, { polling: "raf" });
  return (await handle.jsonValue()) ?? NaN;
}

declare global {
  interface Window {
    benchField?: Element;
    benchTyped?: number;
  }
}

/** Runs in the page: notes when the field is there (with messages, if wanted), gives it the focus, and notes when it has taken a key. */
function watch({ field, withMessages }: { field: string; withMessages: boolean }): void {
  const look = () => {
    const found = document.querySelector<HTMLElement>(field);
    if (found === null || (withMessages && document.querySelector("[role=log] article") === null)) {
      requestAnimationFrame(look);
      return;
    }
    found.addEventListener("input", () => (window.benchTyped ??= performance.now()));
    found.focus();
    window.benchField = found;
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
