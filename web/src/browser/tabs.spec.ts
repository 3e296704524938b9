/** Two tabs of one person: what both show, which of them sends, and that they sign out together. */

import { beforeEach, expect, test } from "vitest";
import { NETWORK_FAILS } from "./faults";
import type { Person } from "./person";
import { openStage } from "./stage";

const stage = await openStage({ expected: NETWORK_FAILS });
let ben: Person;
let left: Person;
let right: Person;

beforeEach(async () => {
  const [a, b] = [await stage.account("ann"), await stage.account("ben")];
  const room = await a.direct(b);
  await a.say(room, "first");
  [left, ben] = await Promise.all([stage.enter(a, { path: `/r/${room}` }), stage.enter(b, { path: `/r/${room}` })]);
  await left.sees("first"); // and leads from here on: it was the first to ask
  right = await left.tab(`/r/${room}`);
  await Promise.all([right.sees("first"), ben.sees("first")]);
});

async function allHave(texts: readonly string[], people: readonly Person[]): Promise<void> {
  for (const person of people) expect(await person.order(texts)).toEqual(texts);
}

/** Which of the two tabs holds the lock of the outbox. */
async function leader(): Promise<Person> {
  const clients = await left.page.evaluate(async () => {
    const { held = [] } = await navigator.locks.query();
    return held.filter(({ name }) => name?.startsWith("parlour-outbox-")).map(({ clientId }) => clientId);
  });
  const own = await left.page.evaluate(async () => {
    let clientId: string | undefined;
    await navigator.locks.request("who-am-i", async () => {
      clientId = (await navigator.locks.query()).held?.find(({ name }) => name === "who-am-i")?.clientId;
    });
    return clientId;
  });
  expect(clients).toHaveLength(1);
  return clients[0] === own ? left : right;
}

test("both show everything once and in order", async () => {
  const texts = ["by the left", "by the right", "by the other"];
  await left.say("by the left");
  await right.sees("by the left");
  await right.say("by the right");
  await Promise.all([left.sees("by the right"), ben.sees("by the right")]); // the tabs also show each other what is still to be sent
  await ben.say("by the other");
  await Promise.all([left.sees("by the other"), right.sees("by the other")]);
  await allHave(texts, [left, right, ben]);
});

test("what each wrote without a network arrives once and in its order", async () => {
  await left.context.setOffline(true);
  for (const turn of ["1", "2", "3"]) {
    await left.say(`left ${turn}`);
    await right.say(`right ${turn}`);
  }
  await Promise.all([left.sees("right 3"), right.sees("left 3")]);
  await left.context.setOffline(false);
  await Promise.all([ben.sees("left 3"), ben.sees("right 3")]);
  for (const person of [left, right]) await person.timeline.getByText("Sending…").waitFor({ state: "detached" });
  for (const tab of ["left", "right"]) await allHave([`${tab} 1`, `${tab} 2`, `${tab} 3`], [left, right, ben]);
  const all = await ben.timeline.innerText();
  for (const person of [left, right]) expect(shown(await person.timeline.innerText())).toEqual(shown(all));
});

function shown(text: string): string[] {
  return text.split("\n").filter((line) => /^(left|right) \d$/.test(line.trim()));
}

test("the other sends what was waiting when the tab that leads is closed", async () => {
  const texts = ["waiting 1", "waiting 2", "waiting 3"];
  const leading = await leader();
  const other = leading === left ? right : left;
  await left.context.setOffline(true);
  for (const text of texts) await leading.say(text);
  await other.sees("waiting 3");
  await leading.page.close();
  await left.context.setOffline(false);
  await ben.sees("waiting 3");
  await other.timeline.getByText("Sending…").waitFor({ state: "detached" });
  await allHave(texts, [other, ben]);
});

test("who signs out in one is signed out in the other", async () => {
  await left.page.getByRole("button", { name: /Your account/ }).click();
  await left.page.getByRole("menuitem", { name: "Sign out" }).click();
  await left.button("Sign out").click();
  for (const { page } of [left, right]) await page.getByText("You are signed out").waitFor();
  await right.page.goto("/");
  await right.page.waitForURL(/\/login/);
});
