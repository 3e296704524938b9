/** What one does before the application has started: nothing of it is lost, nothing jumps, and it looks like what comes. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Locator } from "playwright-core";
import { PASSWORD, type Account } from "./account";
import { valueOf } from "./fields";
import type { Person } from "./person";
import { openStage, type Visit } from "./stage";

const WITHIN = { timeout: 60_000 };
const stage = await openStage();
let ann: Account;
let ben: Account;
let room: string;

beforeEach(async () => {
  [ann, ben] = [await stage.account("ann"), await stage.account("ben")];
  room = await ann.direct(ben);
  await ben.say(room, "first");
});

/** What still waits for its beginning keeps a browser from closing. */
const held = new Set<() => void>();

afterEach(() => {
  for (const release of held) release();
  held.clear();
});

declare global {
  interface Window {
    /** How often React has given the page back before it had drawn anything. */
    pieces?: number;
    /** How far things have jumped by themselves; the grounds that were seen, frame by frame. */
    startSeen?: { shifts: number[]; grounds: string[] };
  }
}

/** Notes what one sees from the first frame on. */
function lookOn(): void {
  const shifts: number[] = [];
  const grounds: string[] = [];
  window.startSeen = { shifts, grounds };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
      if (!hadRecentInput) shifts.push(value);
    }
  }).observe({ type: "layout-shift", buffered: true });
  const frame = () => {
    const { body, documentElement } = document;
    const ground = [body, document.getElementById("early")].map(
      (each) => each && getComputedStyle(each).backgroundColor,
    );
    const now = [documentElement.className, ...ground.filter((each) => each !== null)].join(" ");
    if (grounds.at(-1) !== now) grounds.push(now);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** Counts in `pieces`: React goes on by messages to itself. */
function countPieces(): void {
  window.pieces = 0;
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function (this: MessagePort, ...given: [unknown]) {
    if (document.getElementById("root")?.childElementCount === 0) window.pieces = (window.pieces ?? 0) + 1;
    postMessage.apply(this, given);
  };
}

/** How much has jumped, as Chromium counts it (CLS); the letters of another font are a thousandth. */
const jumped = ({ page }: Person) =>
  page.evaluate(() => window.startSeen?.shifts.reduce((sum, each) => sum + each, 0) ?? NaN);

interface Start {
  person: Person;
  /** What is shown before the application is there. */
  early: Locator;
  /** Let the application come. */
  begin: () => Promise<void>;
}

/** Somebody opens a page whose scripts and style sheet do not come before `begin`. */
async function start(path: string, account?: Account, visit: Visit = {}): Promise<Start> {
  const storageState = await account?.signIn();
  const person = await stage.stranger({ script: lookOn, ...(storageState && { storageState }), ...visit }, account);
  const begin = await hold(person);
  await person.page.goto(path, { waitUntil: "commit" });
  const early = person.page.locator("#early");
  await early.waitFor();
  return { person, early, begin };
}

async function hold(person: Person): Promise<() => Promise<void>> {
  let release = (): void => undefined;
  const begun = new Promise<void>((resolve) => (release = resolve));
  held.add(release);
  await person.context.route("**/assets/*.{js,css}", async (route) => {
    await begun;
    await route.continue().catch(() => undefined); // the page was left
  });
  return async () => {
    release();
    await person.page.locator("#early").waitFor({ state: "detached" });
  };
}

const caretOf = (field: Locator) =>
  field.evaluate((each) => {
    const { selectionStart, selectionEnd } = each as HTMLTextAreaElement;
    return [selectionStart, selectionEnd, each === document.activeElement];
  });

describe("in a room", () => {
  test("what is typed stays, with the caret, at the same place of the screen", async () => {
    const { person, early, begin } = await start(`/r/${room}`, ann);
    const { keyboard } = person.page;
    const before = await early.getByRole("textbox").boundingBox();
    await keyboard.type("hello");
    await keyboard.press("ArrowLeft");
    expect(await person.page.evaluate(() => document.getElementById("root")?.childElementCount)).toBe(0);
    await begin();
    expect(await valueOf(person.composer)).toBe("hello");
    expect(await caretOf(person.composer)).toEqual([4, 4, true]);
    expect(await person.composer.boundingBox()).toEqual(before);
    await keyboard.type("!");
    await keyboard.press("Enter");
    await person.sees("hell!o");
    expect(await jumped(person)).toBeLessThan(0.01);
  });

  test("what is sent arrives once and in order, and what is written after it stays", async () => {
    const { person, early, begin } = await start(`/r/${room}`, ann);
    const { keyboard } = person.page;
    await keyboard.type("one");
    await keyboard.press("Enter");
    await keyboard.type("two");
    await keyboard.press("Shift+Enter");
    await keyboard.type("lines");
    await early.getByRole("button", { name: "Send" }).click();
    await keyboard.press("Enter"); // of nothing
    await keyboard.type("three");
    await expect
      .poll(() => early.getByRole("listitem").allInnerTexts(), WITHIN)
      .toEqual([expect.stringMatching(/^one\s+Sending…$/), expect.stringMatching(/^two\nlines\s+Sending…$/)]);
    await begin();
    const other = await stage.enter(ben, { path: `/r/${room}` });
    const texts = ["first", "one", "two", "lines", "three"];
    await expect.poll(() => other.order(texts), WITHIN).toEqual(texts.slice(0, 4));
    expect(await valueOf(person.composer)).toBe("three");
  });

  test("a text that is being composed is not broken off", async () => {
    const { person, early, begin } = await start(`/r/${room}`, ann);
    const devtools = await person.context.newCDPSession(person.page);
    await devtools.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
    const begun = begin();
    await person.page.locator("#root textarea").waitFor({ state: "attached" });
    await devtools.send("Input.imeSetComposition", { text: "にほん", selectionStart: 3, selectionEnd: 3 });
    expect(await early.isVisible()).toBe(true);
    await devtools.send("Input.insertText", { text: "日本" });
    await begun;
    expect(await valueOf(person.composer)).toBe("日本");
    expect(await caretOf(person.composer)).toEqual([2, 2, true]);
  });

  test("a draft that the device kept is there to be written on, and goes with what is sent", async () => {
    // The scripts would come from the service worker, which nobody can hold up.
    const before = await stage.enter(ann, { path: `/r/${room}`, serviceWorkers: "block" });
    const saved = before.page.waitForResponse(/\/draft$/); // it is on the device by then
    await before.composer.fill("a draft");
    await saved;
    const begin = await hold(before);
    await before.page.goto(`/r/${room}`, { waitUntil: "commit" });
    const field = before.page.locator("#early").getByRole("textbox");
    await expect.poll(() => valueOf(field), WITHIN).toBe("a draft");
    await before.page.keyboard.type(" of two");
    await before.page.keyboard.press("Enter");
    await before.page.keyboard.type("more");
    await begin();
    await before.sees("a draft of two");
    expect(await valueOf(before.composer)).toBe("more");
  });

  test("what is written on a page that is left comes back with the next one", async () => {
    const { person, early, begin } = await start(`/r/${room}`, ann);
    await person.page.keyboard.type("sent");
    await person.page.keyboard.press("Enter");
    await person.page.keyboard.type("not sent");
    await person.page.reload({ waitUntil: "commit" });
    await expect.poll(() => valueOf(early.getByRole("textbox")), WITHIN).toBe("sent\nnot sent");
    await begin();
    expect(await valueOf(person.composer)).toBe("sent\nnot sent");
    await person.page.waitForTimeout(1_500); // the device keeps a draft a moment after the last key
    await person.page.reload();
    await expect.poll(() => valueOf(person.composer), WITHIN).toBe("sent\nnot sent"); // as its draft
    await person.say("and");
    await person.sees("and");
    await person.page.reload();
    await person.sees("and");
    expect(await valueOf(person.composer)).toBe("");
  });

  test("what is written in one room is not lost by another that is opened", async () => {
    const cem = await stage.account("cem");
    const second = await ann.direct(cem);
    const { person, early } = await start(`/r/${room}`, ann);
    await person.page.keyboard.type("of the first");
    await person.page.goto(`/r/${second}`, { waitUntil: "commit" });
    const field = early.getByRole("textbox");
    await expect.poll(() => valueOf(field), WITHIN).toBe("");
    await field.fill("of the second");
    await person.page.goto(`/r/${room}`, { waitUntil: "commit" });
    await expect.poll(() => valueOf(field), WITHIN).toBe("of the first");
    await person.page.goto(`/r/${second}`, { waitUntil: "commit" });
    await expect.poll(() => valueOf(field), WITHIN).toBe("of the second");
  });

  test("a draft that was sent or emptied does not come back from the device's database", async () => {
    const before = await stage.enter(ann, { path: `/r/${room}`, serviceWorkers: "block" });
    const saved = before.page.waitForResponse(/\/draft$/);
    await before.composer.fill("a draft");
    await saved;
    await hold(before);
    const userId = await before.page.evaluate(() => localStorage.getItem("parlour.account") ?? "");
    const note = JSON.stringify([{ roomId: room, text: "", at: Date.now() + 60_000, synced: false }]);
    await before.page.evaluate(
      ([key = "", value = ""]) => localStorage.setItem(key, value),
      [`parlour.account.${userId}.drafts`, note],
    );
    await before.page.goto(`/r/${room}`, { waitUntil: "commit" });
    const field = before.page.locator("#early").getByRole("textbox");
    await field.waitFor();
    await before.page.waitForTimeout(1_000); // in which the database would have been read
    expect(await valueOf(field)).toBe("");
  });

  test("what was taken over is not lost by a reload before the device has saved it", async () => {
    const { person, begin } = await start(`/r/${room}`, ann);
    const { page } = person;
    await page.keyboard.type("not saved");
    await page.evaluate(() => {
      new MutationObserver((_, observer) => {
        if (document.getElementById("early") !== null) return;
        observer.disconnect();
        location.reload();
      }).observe(document.body, { childList: true });
    });
    await begin();
    await page.waitForFunction(
      () => performance.getEntriesByType("navigation").some((each) => "type" in each && each.type === "reload"),
      undefined,
      WITHIN,
    );
    await page.locator("#early").waitFor({ state: "detached" });
    expect(await valueOf(person.composer)).toBe("not saved");
    const saved = page.waitForResponse(/\/draft$/);
    await person.composer.press("!");
    await saved; // it is on the device by then, and nothing else
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.endsWith(".drafts")))).toEqual([]);
  });

  test("the application is drawn in pieces, between which a key is taken", async () => {
    const { person, begin } = await start(`/r/${room}`, ann, { script: countPieces });
    const devtools = await person.context.newCDPSession(person.page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await begin();
    expect(await person.page.evaluate(() => window.pieces)).toBeGreaterThan(5); // it was 1
  });

  test("nothing moves before", async () => {
    const { person } = await start(`/r/${room}`, ann, { reducedMotion: "no-preference" });
    // The composer may still be on its way to the colours of a field with the focus.
    const moving = () => document.getAnimations().filter((each) => each instanceof CSSAnimation).length;
    expect(await person.page.evaluate(moving)).toBe(0);
  });

  test("a session that is over leads to the login page, and what was written waits for its room", async () => {
    stage.expect(/status of 401/);
    const state = await ann.signIn();
    const { person, early, begin } = await start(`/r/${room}`, undefined, { storageState: { ...state, cookies: [] } });
    await early.getByRole("textbox").waitFor();
    await person.page.keyboard.type("for later");
    await begin();
    const { page } = person;
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/login");
    expect(new URL(page.url()).searchParams.get("next")).toBe(`/r/${room}`);
    expect(await jumped(person)).toBeLessThan(0.01);
    await page.getByLabel("Username or e-mail").fill(ann.name);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await expect.poll(() => valueOf(person.composer), WITHIN).toBe("for later");
  });
});

describe("who is not signed in", () => {
  test("fills in the form and sends it", async () => {
    const { person, early, begin } = await start(`/r/${room}`);
    await early.getByLabel("Username or e-mail").click();
    await person.page.keyboard.type(ann.name);
    await person.page.keyboard.press("Tab");
    await person.page.keyboard.type(PASSWORD);
    await person.page.keyboard.press("Enter");
    await early.getByRole("button", { name: "Signing in…" }).waitFor();
    await begin();
    await person.sees("first");
  });

  test("goes on where the caret was", async () => {
    const { person, early, begin } = await start("/login");
    const field = early.getByLabel("Username or e-mail");
    const before = await field.boundingBox();
    await field.click();
    await person.page.keyboard.type(ann.name);
    await person.page.keyboard.press("ArrowLeft");
    await begin();
    const after = person.page.getByLabel("Username or e-mail");
    expect(await caretOf(after)).toEqual([ann.name.length - 1, ann.name.length - 1, true]);
    expect(await valueOf(after)).toBe(ann.name);
    expect(await after.boundingBox()).toEqual(before);
    expect(await jumped(person)).toBeLessThan(0.01);
  });

  test("is led from one form to the other with the way back", async () => {
    const { early } = await start(`/r/${room}`);
    const next = new URLSearchParams({ next: `/r/${room}` }).toString();
    expect(await early.getByRole("link", { name: "Create an account" }).getAttribute("href")).toMatch(
      new RegExp(`/register\\?${next}$`),
    );
  });

  test("makes an account", async () => {
    const { person, early, begin } = await start("/register");
    const name = stage.name("cat");
    await early.getByLabel("Your name").fill(name);
    await early.getByLabel("E-mail").fill(`${name}@example.org`);
    await early.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await begin();
    expect(await valueOf(person.page.getByLabel("Username"))).toBe(name); // as if the form had been there all the time
    await person.button("Create account").click();
    await person.page.waitForURL("/");
  });

  test("makes an account that was sent before", async () => {
    const { person, early, begin } = await start("/register");
    const name = stage.name("dan");
    for (const [label, value] of [
      ["Your name", name],
      ["Username", name],
      ["E-mail", `${name}@example.org`],
      ["Password", PASSWORD],
    ] as const)
      await early.getByLabel(label, { exact: true }).fill(value);
    await person.page.keyboard.press("Enter");
    await begin();
    await person.page.waitForURL("/");
  });
});

describe("its looks", () => {
  test.each(["light", "dark"] as const)("are %s from the first frame on, whatever the system is", async (theme) => {
    const storageState = await ann.signIn();
    const preferences = JSON.stringify({ state: { theme }, version: 1 });
    storageState.origins[0]?.localStorage.push({ name: "parlour.preferences", value: preferences });
    const colorScheme = theme === "dark" ? "light" : "dark";
    const { person, begin } = await start(`/r/${room}`, undefined, { storageState, colorScheme });
    await begin();
    await person.sees("first");
    const { grounds = [] } = (await person.page.evaluate(() => window.startSeen)) ?? {};
    const ground = await person.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const named = theme === "dark" ? "dark" : "";
    const [shown, after] = [[named, ground, ground].join(" "), [named, ground].join(" ")];
    // A frame may come before the page has been parsed to where it shows something.
    expect([
      [shown, after],
      [after, shown, after],
    ]).toContainEqual(grounds);
  });

  test("are in the language that was chosen", async () => {
    const storageState = await ann.signIn();
    const preferences = JSON.stringify({ state: { language: "de" }, version: 1 });
    storageState.origins[0]?.localStorage.push({ name: "parlour.preferences", value: preferences });
    const { person, early } = await start(`/r/${room}`, undefined, { storageState });
    await early.getByPlaceholder("Nachricht schreiben").waitFor();
    expect(await person.page.evaluate(() => document.documentElement.lang)).toBe("de");
  });

  test.each(["/r/", "/", "/login", "/register"])("have no serious faults, and fit, at %s", async (path) => {
    const signedIn = path === "/r/" || path === "/";
    const { person, early } = await start(path === "/r/" ? path + room : path, signedIn ? ann : undefined);
    for (const colorScheme of ["light", "dark"] as const) {
      await person.page.emulateMedia({ colorScheme });
      await person.page.reload({ waitUntil: "commit" });
      await early.waitFor();
      expect(await person.seriousFaults()).toEqual([]);
    }
    for (const view of [
      { width: 320, height: 640 },
      { width: 320, height: 640, dir: "rtl" },
      { width: 320, height: 640, letters: 2 },
      { width: 1024, height: 640, dir: "rtl" },
      { width: 1024, height: 640, letters: 2 },
    ] as const) {
      await person.look(view);
      expect(await person.overflows()).toEqual([]);
    }
  });
});
