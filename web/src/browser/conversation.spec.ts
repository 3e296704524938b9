/** Two people talk, in two real browsers with the built client against the real server. */

import { beforeEach, describe, expect, test } from "vitest";
import type { Person } from "./person";
import { openStage } from "./stage";

const stage = await openStage();
let ann: Person;
let ben: Person;
let room: string;

/** The mark that others have read up to a message. */
const seenBy = (person: Person, text: string) => person.message(text).getByRole("img", { name: /^Seen by/ });

test("two people register, find each other and talk both ways", async () => {
  const names = [stage.name("cat"), stage.name("dan")] as const;
  const [cat, dan] = await Promise.all([stage.stranger(), stage.stranger()]);
  await Promise.all([cat.register(names[0]), dan.register(names[1])]);
  await cat.button("New direct message").click();
  const dialog = cat.page.getByRole("dialog", { name: "New direct message" });
  await dialog.getByRole("combobox", { name: "To" }).fill(names[1]);
  await dialog.getByRole("option", { name: names[1] }).click();
  await cat.say("hello");
  await dan.openRoom(names[0]); // it has come into the list by itself
  await dan.sees("hello");
  await dan.say("hello yourself");
  await cat.sees("hello yourself");
  for (const person of [cat, dan])
    expect(await person.order(["hello", "hello yourself"])).toEqual(["hello", "hello yourself"]);
});

describe("two people", () => {
  beforeEach(async () => {
    const [a, b] = [await stage.account("ann"), await stage.account("ben")];
    room = await a.direct(b);
    await a.say(room, "first");
    [ann, ben] = await Promise.all([stage.enter(a, { path: `/r/${room}` }), stage.enter(b, { path: `/r/${room}` })]);
    await Promise.all([ann.sees("first"), ben.sees("first")]);
  });

  test("talk both ways, in the same order", async () => {
    await ben.say("second");
    await ann.sees("second");
    await ann.say("third");
    await ben.sees("third");
    const texts = ["first", "second", "third"];
    expect(await ann.order(texts)).toEqual(texts);
    expect(await ben.order(texts)).toEqual(texts);
  });

  test("see what the other edits, reacts and pins", async () => {
    await ann.act("first", "Edit");
    await ann.page.getByRole("textbox", { name: "Edit message" }).fill("first, **mended**");
    await ann.page.keyboard.press("Enter");
    await ben.message("first, mended").getByText("(edited)").waitFor();

    await ben.act("first, mended", "Add reaction");
    await ben.page.getByRole("textbox", { name: "Search emoji" }).fill("rocket");
    await ben.page.getByRole("button", { name: "rocket", exact: true }).click();
    const reaction = ann.message("first, mended").getByRole("button", { name: new RegExp(`^🚀 .*${ben.name}`) });
    await reaction.click();
    await ben
      .message("first, mended")
      .getByRole("button", { name: /^🚀 .* and / })
      .waitFor();

    await ben.act("first, mended", "Pin to the room");
    await ann.message("first, mended").getByText("Pinned").waitFor();
    await ann.button("Pinned messages").click();
    await ann.page.getByRole("tabpanel").getByText("first, mended", { exact: true }).waitFor(); // without its marks
  });

  test("reply, and jump from the quote to what it answers", async () => {
    await ann.act("first", "Reply");
    await ann.page.getByText("Replying to").waitFor();
    await ben.account.sayLines(room, 60);
    await ann.say("an answer");
    await ben.sees("an answer");
    expect(await ben.message("first").count()).toBe(0); // far above what is drawn
    await ben.message("an answer").getByRole("button", { name: "Go to the message that this answers" }).click();
    await ben.message("first").waitFor();
  });

  test("delete with a way back", async () => {
    await ann.say("second thoughts");
    await ben.sees("second thoughts");
    await ann.act("second thoughts", "Delete");
    await ann.timeline.getByText("This message was deleted.").waitFor();
    await ann.timeline.getByRole("button", { name: "Undo" }).click();
    await ann.sees("second thoughts");
    await ann.act("first", "Delete");
    await ben.timeline.getByText("This message was deleted.").waitFor();
    await ben.sees("second thoughts");
    expect(await ben.timeline.getByText("first", { exact: true }).count()).toBe(0);
  });

  test("search, and open what is found in its place", async () => {
    await ben.account.say(room, "the word is xylophone");
    await ben.account.sayLines(room, 60);
    await ann.page.goto("/search");
    await ann.page.getByRole("searchbox", { name: "Search messages" }).fill("xylophone");
    await ann.page.locator("mark", { hasText: "xylophone" }).click();
    await ann.page.waitForURL(/\/m\//);
    await ann.message("the word is xylophone").waitFor();
    expect(await ann.timeline.getByText("line 60", { exact: true }).count()).toBe(0);
  });

  test("know what the other has read, and what waits for them", async () => {
    await ben.page.goto("/settings/profile");
    await ann.say("are you there");
    await ben.rooms.getByText(", 1 new message").waitFor({ state: "attached" });
    expect(await seenBy(ann, "are you there").count()).toBe(0);
    await ben.openRoom(ann.name);
    await seenBy(ann, "are you there").waitFor();
    await ben.rooms.getByText(/new message/).waitFor({ state: "detached" });
  });

  test("begin at what is new, and have read it only once they were at the end", async () => {
    await ann.page.goto("/rooms");
    for (let index = 0; index < 30; index += 1) await ben.say(`line ${index}`);
    await ben.sees("line 29");
    await ann.rooms.getByText("30", { exact: true }).waitFor();
    await ann.openRoom(ben.name);
    const line = ann.timeline.getByRole("separator", { name: "New" });
    await expect.poll(() => line.boundingBox().then((box) => box?.y ?? 0), { timeout: 60_000 }).toBeGreaterThan(52);
    await expect.poll(() => line.boundingBox().then((box) => box?.y ?? 999), { timeout: 60_000 }).toBeLessThan(250);
    await ann.page.reload();
    await line.waitFor();
    await ann.page.getByRole("button", { name: /new messages$/ }).click();
    await ann.sees("line 29");
    await expect.poll(() => ann.page.title(), { timeout: 60_000 }).not.toContain("30");
    await seenBy(ben, "line 29").waitFor(); // the server knows of it
    await ann.page.reload();
    await ann.sees("line 29");
    await line.waitFor({ state: "detached" }); // also where the device kept an older marker
  });

  test("stay where they begin while older messages come above", async () => {
    await ann.account.sayLines(room, 40);
    await ben.sees("line 40");
    await ben.page.goto("/rooms");
    for (let index = 0; index < 45; index += 1)
      await ann.account.say(room, `new ${index} ${"and longer ".repeat(index % 12)}`);
    await ben.rooms.getByText("45", { exact: true }).waitFor();
    const fresh = await stage.enter(ben.account, { path: "/rooms" });
    const devtools = await fresh.context.newCDPSession(fresh.page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: 6 });
    const older = fresh.page.waitForResponse(/messages\?before=/);
    await fresh.openRoom(ann.name);
    const line = fresh.timeline.getByRole("separator", { name: "New" });
    await line.waitFor();
    await older;
    await fresh.page.waitForTimeout(2_000);
    const { y } = (await line.boundingBox()) ?? { y: NaN };
    expect(y).toBeGreaterThan(52);
    expect(y).toBeLessThan(250);
  });

  test("begin at the end where more is new than is held, with a way to the first of it", async () => {
    await ben.page.goto("/rooms");
    await ann.account.sayLines(room, 300);
    await ben.rooms.getByText("99+", { exact: true }).waitFor();
    const fresh = await stage.enter(ben.account, { path: "/rooms" });
    const pages: string[] = [];
    fresh.page.on("request", (request) => request.url().includes("/messages?") && pages.push(request.url()));
    await fresh.openRoom(ann.name);
    await fresh.sees("line 300");
    await fresh.page.waitForTimeout(2_000);
    expect(await fresh.message("line 300").isVisible()).toBe(true);
    expect(pages.length).toBeLessThanOrEqual(2);
    await fresh.page.getByRole("button", { name: "To the first unread message" }).click();
    await fresh.timeline.getByRole("separator", { name: "New" }).waitFor();
    await fresh.sees("line 1");
  });

  test("have a message's bar under the pointer alone, also where no event tells that its row moved away", async () => {
    await ann.account.sayLines(room, 30);
    await ann.sees("line 30");
    await ann.message("line 25").hover();
    await ann.message("line 25").getByRole("button", { name: "Reply" }).waitFor();
    await ann.page.evaluate(() => {
      for (const type of ["pointerover", "pointerout"])
        window.addEventListener(type, (event) => event.stopImmediatePropagation(), true);
    });
    await ben.account.sayLines(room, 3);
    await ann.message("line 25").getByRole("button", { name: "Reply" }).waitFor({ state: "hidden" });
  });

  test("see a view without serious faults for assistive technology, in both themes", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await ann.show(colorScheme);
      await expect.poll(() => ann.seriousFaults(), { timeout: 60_000 }).toEqual([]);
    }
  });
});
