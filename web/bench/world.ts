/** The server with its people, and browsers in front of it. */

import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

export interface Person {
  user_id: string;
  username: string;
  access_token: string;
}

/** What `python -m bench.web` says: `World` in bench/web.py. */
export interface World {
  origin: string;
  password: string;
  people: [Person, ...Person[]];
  room_id: string;
  quick: boolean;
  only: string[];
}

export const COMPOSER = "textarea[placeholder]";
const WITHIN = 60_000;

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    ignoreDefaultArgs: ["--hide-scrollbars"], // one is dragged
    // A turn of the wheel moves the page at once and by so many pixels: what moves otherwise is a jump.
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-smooth-scrolling",
    ],
  });
}

/** An empty profile. */
export function anonymous(browser: Browser, { origin }: World): Promise<BrowserContext> {
  return browser.newContext({ baseURL: origin, viewport: { width: 1280, height: 800 }, locale: "en-GB" });
}

/** A profile that has nothing but a session: its cookie, and the note of whose it is. */
export async function signedIn(browser: Browser, world: World): Promise<BrowserContext> {
  const [{ user_id, username }] = world.people;
  const context = await browser.newContext({
    baseURL: world.origin,
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    storageState: {
      cookies: [],
      origins: [{ origin: world.origin, localStorage: [{ name: "parlour.account", value: user_id }] }],
    },
  });
  const data = { login: username, password: world.password, cookie: true };
  const answer = await context.request.post("/api/auth/login", { data });
  if (!answer.ok()) throw new Error(await answer.text());
  return context;
}

/** Open a room and wait until its messages are there. */
export async function openRoom(page: Page, roomId: string): Promise<void> {
  await page.goto(`/r/${roomId}`);
  await page.locator(COMPOSER).waitFor({ timeout: WITHIN });
  await page.getByRole("log").locator("article").first().waitFor({ timeout: WITHIN });
}

/** Make a room of all people, by the first of them. */
export async function makeRoom({ origin, people }: World, name: string): Promise<string> {
  const [me, ...others] = people;
  const answer = await fetch(`${origin}/api/rooms`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${me.access_token}` },
    body: JSON.stringify({ kind: "private", name, members: others.map((each) => each.user_id) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { id: string }).id;
}
