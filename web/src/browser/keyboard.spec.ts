/** A person without a pointer: everything by keys, and always in sight where they are. */

import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { PASSWORD } from "./account";
import { openStage } from "./stage";

const stage = await openStage();

/** Where the focus is, or what is wrong with that: lost to the page, out of sight, or not to be told from what has none. */
async function lookForFocus(page: Page): Promise<string> {
  return page.evaluate(() => {
    const focused = document.activeElement;
    if (focused === null || focused === document.body) return "lost";
    const name = `${focused.tagName} ${focused.getAttribute("aria-label") ?? focused.textContent.slice(0, 40)}`;
    const { top, bottom, width, height } = focused.getBoundingClientRect();
    if (width * height === 0 || bottom <= 0 || top >= window.innerHeight) return `out of sight: ${name}`;
    const outlined = [focused, focused.parentElement].some((element) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(element ?? focused);
      return outlineStyle !== "none" && outlineWidth !== "0px";
    });
    const chosen = focused.hasAttribute("data-highlighted"); // the entry of a menu
    const caret = focused.matches("input, textarea");
    const page = focused.id === "page"; // where one is after being led to a page; keys go on from its beginning
    return outlined || chosen || caret || page ? "seen" : `not marked: ${name}`;
  });
}

async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) {
    await page.keyboard.press(key);
    await expect.poll(() => lookForFocus(page), { message: `after ${key}`, timeout: 20_000 }).toBe("seen");
  }
}

/** Tab to it. Once the page may lose the focus: between its end and its beginning come the browser's own controls. */
async function tabTo(page: Page, target: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  await target.waitFor();
  const stops: string[] = [];
  for (let pressed = 0; !(await target.evaluate((element) => element === document.activeElement)); pressed += 1) {
    expect(pressed, `${key} leads to ${String(target)}`).toBeLessThan(80);
    await page.keyboard.press(key);
    const stop = await lookForFocus(page);
    if (stop !== "seen") stops.push(stop);
    expect(stops.length === 0 || stops.join() === "lost", `${stops.join()} on the way to ${String(target)}`).toBe(true);
  }
}

async function type(page: Page, text: string, ...keys: string[]): Promise<void> {
  await page.keyboard.type(text);
  await press(page, ...keys);
}

test("registers, makes a room and talks, searches, and finds the way back", async () => {
  const ann = await stage.stranger();
  const { page } = ann;
  const name = stage.name("ann");
  await page.goto("/register");
  await tabTo(page, page.getByLabel("Your name"));
  await type(page, "ann", "Tab");
  await tabTo(page, page.getByLabel("Username"));
  await type(page, name, "Tab");
  await tabTo(page, page.getByLabel("E-mail"));
  await type(page, `${name}@example.org`, "Tab");
  await tabTo(page, page.getByLabel("Password", { exact: true }));
  await type(page, PASSWORD, "Enter");
  await page.waitForURL("/");

  const create = ann.rooms.getByRole("button", { name: "Create a room" });
  await tabTo(page, create);
  await press(page, "Enter");
  await focused(page.getByRole("dialog").getByLabel("Name")); // only then it hears keys
  await press(page, "Escape");
  await focused(create);
  for (const room of ["garden", "kitchen"]) {
    await tabTo(page, create);
    await press(page, "Enter");
    await focused(page.getByRole("dialog").getByLabel("Name"));
    await type(page, room, "Enter");
    await focused(ann.composer);
  }
  await press(page, "Control+k");
  await page.getByRole("dialog").waitFor();
  await type(page, "gard");
  await page.getByRole("option", { name: "garden", exact: true, selected: true }).waitFor();
  await press(page, "Enter");
  await page.getByRole("heading", { name: "garden", level: 1 }).waitFor();
  await focused(ann.composer);

  await type(page, "a line", "Enter");
  await ann.sees("a line");
  const editor = page.getByRole("textbox", { name: "Edit message" });
  const edits = async () => {
    await press(page, "ArrowUp"); // does nothing until the line has its place
    return editor.isVisible();
  };
  await expect.poll(edits, { timeout: 60_000 }).toBe(true);
  await focused(editor);
  await type(page, ", mended", "Enter");
  await ann.message("a line, mended").getByText("(edited)").waitFor();
  await focused(ann.composer);

  await tabTo(page, ann.timeline, "Shift+Tab");
  await press(page, "ArrowUp", "+");
  await focused(page.getByRole("textbox", { name: "Search emoji" }));
  await type(page, "rocket");
  await page.getByRole("button", { name: "rocket", exact: true }).waitFor();
  await press(page, "Enter");
  await ann.message("a line, mended").getByRole("button", { name: /^🚀/ }).waitFor();
  await focused(ann.message("a line, mended"));
  await press(page, "r");
  await type(page, "an answer", "Enter");
  await ann
    .message("an answer")
    .getByRole("button", { name: /^Go to the message that this answers/ })
    .waitFor();

  await focused(ann.composer);
  const search = page.getByRole("searchbox", { name: "Search in this room" });
  await press(page, "Control+Shift+f");
  await focused(search);
  await press(page, "Control+Shift+f");
  await focused(ann.composer);
  await press(page, "Control+Shift+f");
  await focused(search);
  await type(page, "mended", "Enter");
  await tabTo(page, page.getByRole("search").getByRole("link", { name: /a line, mended/ }));
  await press(page, "Enter");
  await page.waitForURL(/\/m\//);
  await focused(ann.timeline);

  await press(page, "Control+/");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await press(page, "Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await press(page, "Control+k");
  await type(page, "open settings");
  await page.getByRole("option", { name: "Open settings", exact: true, selected: true }).waitFor();
  await press(page, "Enter");
  await page.waitForURL("/settings/profile");
  await focused(page.locator("#page"));
  await tabTo(page, page.getByRole("link", { name: "Appearance" }));
  await press(page, "Enter", "Control+k");
  await type(page, "kitch");
  await page.getByRole("option", { name: "kitchen", exact: true, selected: true }).waitFor();
  await press(page, "Enter");
  await focused(ann.composer);
});

async function focused(target: Locator): Promise<void> {
  await target.waitFor();
  await expect
    .poll(() => target.evaluate((element) => element === document.activeElement), { timeout: 20_000 })
    .toBe(true);
}

test("sees what is chosen, also where a panel has to move to show it", async () => {
  const account = await stage.account("ann");
  const path = `/r/${await account.room("garden")}?panel=details`;
  const { page } = await stage.enter(account, { path, viewport: { width: 1280, height: 400 } });
  const last = page.getByText("Nothing (muted)");
  await page.getByRole("radio", { name: /^All messages/ }).focus();
  await page.keyboard.press("ArrowUp");
  await expect.poll(async () => (await last.boundingBox())?.y).toBeLessThan(400);
  expect((await page.getByRole("tablist").boundingBox())?.y, "the tabs, which do not move").toBeGreaterThan(0);
});
