// @vitest-environment node
import Dexie from "dexie";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Command } from "./outbox-rules";
import { World, type Fault, type Tab } from "./testing/world";

const say = (text: string): Command => ({ kind: "message.send", text });
const ROOM = "room";
let world: World;

beforeEach(() => {
  Dexie.dependencies.indexedDB = new IDBFactory();
});
afterEach(() => world.close());

const settled = async (tab: Tab, messages: number) =>
  vi.waitFor(
    () => {
      expect(world.log.length).toBeGreaterThanOrEqual(messages);
      expect(tab.outbox.count).toBe(0);
    },
    { timeout: 3_000, interval: 2 },
  );

describe("without faults", () => {
  test("what is sent shows at once, arrives in order, and is gone from the outbox once its event was seen", async () => {
    world = new World();
    const tab = await world.openTab();
    const sent = ["one", "two", "three"].map((text) => tab.outbox.add(ROOM, say(text)));
    expect(tab.outbox.entries(ROOM).map((each) => each.clientId)).toEqual(sent.map((each) => each.clientId));
    await settled(tab, 3);
    expect(world.log.map((each) => each.text)).toEqual(["one", "two", "three"]);
    await vi.waitFor(() => expect(tab.outbox.entries(ROOM)).toEqual([]));
  });

  test("an acknowledgement is enough for the next to go, and the entry stays until its place is shown", async () => {
    world = new World();
    world.mute = true;
    const tab = await world.openTab();
    ["one", "two"].forEach((text) => tab.outbox.add(ROOM, say(text)));
    await settled(tab, 2);
    expect(world.log.map((each) => each.text)).toEqual(["one", "two"]);
    expect(tab.outbox.entries(ROOM).map((each) => each.placed?.seq)).toEqual([1, 2]);
    await tab.outbox.settle(ROOM, 1);
    expect(tab.outbox.entries(ROOM).map((each) => each.placed?.seq)).toEqual([2]);
  });

  test("what was never sent is there for the next page", async () => {
    world = new World();
    const tab = await world.openTab();
    tab.setOnline(false);
    await Promise.all(["one", "two"].map((text) => tab.outbox.add(ROOM, say(text)).saved));
    tab.die();
    const next = await world.openTab();
    await settled(next, 2);
    expect(world.log.map((each) => each.text)).toEqual(["one", "two"]);
  });

  test("a tab that does not lead hands over to the one that does", async () => {
    world = new World();
    const [first, second] = [await world.openTab(), await world.openTab()];
    second.outbox.add(ROOM, say("from the second"));
    first.outbox.add(ROOM, say("from the first"));
    await settled(first, 2);
    await settled(second, 2);
  });

  test("what another tab has sent and seen stays until this one has seen it", async () => {
    world = new World();
    const [first, second] = [await world.openTab(), await world.openTab()];
    second.deaf = true;
    second.outbox.add(ROOM, say("from the second"));
    await settled(first, 1);
    await vi.waitFor(() => expect(first.outbox.entries(ROOM)).toEqual([]));
    await vi.waitFor(() => expect(second.outbox.entries(ROOM)[0]?.placed?.seq).toBe(1));
    expect(second.shown.slice(1).every((entries) => entries.length === 1)).toBe(true);
    expect(second.outbox.count).toBe(0);
    await second.outbox.settle(ROOM, 1);
    expect(second.outbox.entries(ROOM)).toEqual([]);
  });

  test("what another tab has given up is gone in this one", async () => {
    world = new World();
    const [first, second] = [await world.openTab(), await world.openTab()];
    world.refusals.push({ code: "forbidden", message: "no" });
    const { clientId } = second.outbox.add(ROOM, say("from the second"));
    await vi.waitFor(() => expect(first.outbox.entries(ROOM)[0]?.state).toBe("failed"));
    await vi.waitFor(() => expect(second.outbox.entries(ROOM)[0]?.state).toBe("failed"));
    await first.outbox.discard(clientId);
    await vi.waitFor(() => expect(second.outbox.entries(ROOM)).toEqual([]));
  });

  test("an edit and a reaction to a message that is on its way follow it with its id", async () => {
    world = new World();
    const tab = await world.openTab();
    const { clientId } = tab.outbox.add(ROOM, say("one"));
    await vi.waitFor(() => expect(world.log.length).toBe(1), { interval: 1 });
    tab.outbox.add(ROOM, { kind: "message.edit", target: tab.outbox.refTo(ROOM, clientId), text: "uno" });
    tab.outbox.add(ROOM, { kind: "reaction.add", target: tab.outbox.refTo(ROOM, clientId), emoji: "x" });
    await settled(tab, 3);
    expect(world.log.slice(1).map((each) => [each.kind, each.target])).toEqual([
      ["message.edit", "id-1"],
      ["reaction.add", "id-1"],
    ]);
  });
});

describe("a deletion that can be taken back", () => {
  const deletion: Command = { kind: "message.delete", target: { id: "id-0" } };
  const kinds = () => world.log.map((each) => each.kind);

  test("is sent when its time is over, and what is written meanwhile before", async () => {
    world = new World();
    const tab = await world.openTab();
    await tab.outbox.add(ROOM, deletion, 6_000).saved;
    expect(tab.outbox.count).toBe(1);
    tab.outbox.add(ROOM, say("one"));
    await vi.waitFor(() => expect(kinds()).toEqual(["message.send"]));
    world.now = 6_000;
    await settled(tab, 2);
    expect(kinds()).toEqual(["message.send", "message.delete"]);
  });

  test("is never sent when it was taken back", async () => {
    world = new World();
    const tab = await world.openTab();
    const { clientId, saved } = tab.outbox.add(ROOM, deletion, 6_000);
    await saved;
    await tab.outbox.discard(clientId);
    world.now = 6_000;
    tab.outbox.add(ROOM, say("one"));
    await settled(tab, 1);
    expect(kinds()).toEqual(["message.send"]);
  });

  test("survives the page, and is sent by the next one, or by another", async () => {
    world = new World();
    const first = await world.openTab();
    await first.outbox.add(ROOM, deletion, 6_000).saved;
    first.die();
    const second = await world.openTab();
    const third = await world.openTab();
    await third.outbox.add("another", deletion, 6_000).saved;
    third.die();
    world.now = 6_000;
    await settled(second, 2);
  });

  test("is sent at once where the page is left", async () => {
    world = new World();
    const tab = await world.openTab();
    await tab.outbox.add(ROOM, deletion, 6_000).saved;
    await tab.outbox.release();
    await settled(tab, 1);
  });
});

describe("refusals", () => {
  test("for good: the message fails, those after it go on, and it can be sent again or given up", async () => {
    world = new World();
    const tab = await world.openTab();
    world.refusals.push({ code: "forbidden", message: "no" });
    const { clientId } = tab.outbox.add(ROOM, say("one"));
    tab.outbox.add(ROOM, say("two"));
    await vi.waitFor(() => expect(world.log.map((each) => each.text)).toEqual(["two"]));
    expect(tab.outbox.entries(ROOM)[0]).toMatchObject({ clientId, state: "failed", error: { code: "forbidden" } });
    await tab.outbox.retry(clientId);
    await settled(tab, 2);
    expect(world.log.map((each) => each.text)).toEqual(["two", "one"]);
  });

  test("another text for a failed message is another command", async () => {
    world = new World();
    const tab = await world.openTab();
    world.refusals.push({ code: "invalid_text", message: "no" });
    const { clientId } = tab.outbox.add(ROOM, say("bad"));
    await vi.waitFor(() => expect(tab.outbox.entries(ROOM)[0]).toMatchObject({ state: "failed" }));
    await tab.outbox.edit(clientId, "good");
    await settled(tab, 1);
    expect(world.log).toMatchObject([{ text: "good" }]);
    expect(world.log[0]!.clientId).not.toBe(clientId);
  });

  test("for now: the room waits, in order", async () => {
    world = new World();
    const tab = await world.openTab();
    for (let time = 0; time < 3; time++) world.refusals.push({ code: "rate_limited", message: "", retry_after: 0.001 });
    ["one", "two", "three"].forEach((text) => tab.outbox.add(ROOM, say(text)));
    await settled(tab, 3);
    expect(world.log.map((each) => each.text)).toEqual(["one", "two", "three"]);
  });

  test("one room that waits holds up no other", async () => {
    world = new World();
    const tab = await world.openTab();
    world.refusals.push({ code: "busy", message: "", retry_after: 1_000 });
    tab.outbox.add("slow", say("one"));
    await vi.waitFor(() => expect(world.refusals).toEqual([]));
    tab.outbox.add("quick", say("two"));
    await settled(tab, 2);
  });

  test("of a reaction for good takes it away and says so", async () => {
    world = new World();
    const tab = await world.openTab();
    world.refusals.push({ code: "message_deleted", message: "" });
    const { clientId } = tab.outbox.add(ROOM, { kind: "reaction.add", target: { id: "id" }, emoji: "x" });
    await vi.waitFor(() => expect(tab.refused).toEqual([clientId]));
    expect(tab.outbox.entries(ROOM)).toEqual([]);
  });
});

/** Two messages and an edit from one tab and two messages from another; then a page that is opened after all that. */
async function conversation(fault: Fault, strikeAt: number): Promise<boolean> {
  Dexie.dependencies.indexedDB = new IDBFactory();
  world = new World(fault, strikeAt);
  const saved = new Set<string>();
  const first = await world.openTab();
  const second = await world.openTab();
  const add = (tab: Tab, text: string) => {
    const sent = tab.outbox.add(ROOM, say(text));
    // A tab that died is closed: what it had not saved it could not promise.
    sent.saved.then(() => saved.add(text)).catch(() => undefined);
    return sent;
  };
  const one = add(first, "a1");
  add(second, "b1");
  add(first, "a2");
  const edit = first.outbox.add(ROOM, {
    kind: "message.edit",
    target: first.outbox.refTo(ROOM, one.clientId),
    text: "a1!",
  });
  edit.saved.then(() => saved.add("a1!")).catch(() => undefined);
  add(second, "b2");
  const quiet = () =>
    world.struck && fault === "tab dies" ? world.tabs.some((each) => !each.alive) : saved.size === 5;
  await vi.waitFor(() => expect(quiet()).toBe(true), { timeout: 3_000, interval: 1 });
  await world.openTab();
  const done = () => {
    for (const tab of world.tabs) if (tab.alive) expect(tab.outbox.rooms()).toEqual([]);
  };
  await vi.waitFor(done, { timeout: 5_000, interval: 2 });

  const texts = world.log.map((each) => each.text);
  const at = `${fault} at step ${strikeAt}: ${texts.join(" ")}`;
  expect(new Set(world.log.map((each) => each.clientId)).size, at).toBe(world.log.length);
  // An edit of what was never sent is no command of its own.
  const arrived = (text: string) => texts.includes(text) || (text === "a1" && texts.includes("a1!"));
  for (const text of saved) expect(arrived(text), `${text} is lost: ${at}`).toBe(true);
  for (const tab of ["a", "b"]) {
    const mine = texts.filter((each) => each.startsWith(tab) && !each.endsWith("!"));
    expect(mine, at).toEqual([...mine].sort());
  }
  if (texts.includes("a1"))
    expect(
      texts.filter((each) => each.startsWith("a1")),
      at,
    ).toEqual(texts.includes("a1!") ? ["a1", "a1!"] : ["a1"]);
  world.close();
  return world.struck;
}

describe("a fault between any two steps loses, doubles and reorders nothing", () => {
  test.each<Fault>(["tab dies", "network is cut", "server is killed"])(
    "%s",
    async (fault) => {
      let steps = 0;
      while (await conversation(fault, ++steps));
      expect(steps).toBeGreaterThan(60);
    },
    60_000,
  );
});
