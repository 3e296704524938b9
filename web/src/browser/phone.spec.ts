/** A phone: 390 x 844 pixels, touched. */

import { beforeEach, describe, expect, test } from "vitest";
import type { Person } from "./person";
import { openStage } from "./stage";

const stage = await openStage();
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
let ann: Person;

beforeEach(async () => {
  const [a, b] = [await stage.account("ann"), await stage.account("ben")];
  const room = await a.room("garden", [b]);
  await b.say(room, "the roses are open");
  ann = await stage.enter(a, PHONE);
});

/** Touch what has this role and name, and see that the page still fits. */
async function tap(role: "button" | "link" | "menuitem", name: string | RegExp): Promise<void> {
  await ann.page.getByRole(role, { name }).tap();
  expect(await ann.overflows()).toEqual([]);
}

test("goes from the rooms to a room and writes", async () => {
  await ann.rooms.waitFor();
  await tap("link", /garden/);
  await ann.sees("the roses are open");
  expect(await ann.rooms.count()).toBe(0);
  await ann.composer.tap();
  await ann.composer.fill("and the lilies");
  await tap("button", "Send");
  await ann.sees("and the lilies");
  await tap("link", "Back");
  await ann.rooms.waitFor();
});

test("opens a room's panel and search, and closes them by the back button", async () => {
  await tap("link", /garden/);
  await ann.sees("the roses are open");
  await tap("button", "More about this room");
  await tap("menuitem", "Room details");
  const panel = ann.page.getByRole("dialog", { name: "Room details" });
  await panel.getByRole("tab", { name: "Members" }).tap();
  await panel.getByText("Owner").waitFor();
  await ann.page.goBack();
  await panel.waitFor({ state: "detached" });
  await ann.sees("the roses are open");

  await tap("button", "Search in this room");
  const search = ann.page.getByRole("dialog", { name: "Search" });
  await search.getByRole("searchbox").fill("roses");
  await search.getByRole("link", { name: /roses/ }).tap();
  await search.waitFor({ state: "detached" });
  await ann.sees("the roses are open");
  await ann.page.goBack();
  await search.waitFor();
  await ann.page.goBack();
  await search.waitFor({ state: "detached" });
  await ann.page.goBack();
  await ann.rooms.waitFor();
});

describe("in letters of twice the size", () => {
  beforeEach(async () => {
    await tap("link", /garden/);
    await ann.sees("the roses are open");
  });

  test("shows all of what is being written", async () => {
    const lines = () => ann.composer.evaluate(({ scrollHeight, clientHeight }) => [scrollHeight, clientHeight]);
    await ann.composer.fill("one line in letters of the usual size");
    await ann.look({ ...PHONE.viewport, letters: 2 });
    await expect.poll(async () => (await lines())[1]).toBeGreaterThan(100);
    const [needed, shown] = await lines();
    expect(shown).toBe(needed);
  });

  test("offers emoji in rows that lie apart, and what one can do with a message", async () => {
    await ann.look({ ...PHONE.viewport, letters: 2 });
    await tap("button", "Emoji");
    const picker = ann.page.getByRole("group", { name: "Emoji" });
    await picker.getByRole("button", { name: "grinning face", exact: true }).waitFor();
    expect.soft(await ann.overflows()).toEqual([]);
    const rows = await picker
      .locator(".grid, h3")
      .evaluateAll((all) => all.map((row) => row.getBoundingClientRect()).sort((a, b) => a.top - b.top));
    expect.soft(rows.filter(({ top }, at) => top + 1 < (rows[at - 1]?.bottom ?? 0))).toEqual([]);
    await ann.page.keyboard.press("Escape");

    await ann.message("the roses are open").dispatchEvent("pointerdown", { pointerType: "touch", isPrimary: true });
    await ann.page.getByRole("dialog").getByRole("button", { name: "Reply" }).waitFor();
    expect.soft(await ann.overflows()).toEqual([]);
  });
});
