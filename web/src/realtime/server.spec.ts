/** The data layer against the real server: what is promised to people holds through cuts, kills, drains and reloads. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { RoomDetails } from "./schema.gen";
import { Browser } from "./testing/browser";
import { freePort, ParlourServer } from "./testing/parlour-server";

const PORT = await freePort();
const WITHIN = { timeout: 60_000, interval: 20 };
const server = new ParlourServer(PORT, { PARLOUR_DRAIN_SECONDS: "1" });

beforeAll(() => server.start());
afterAll(() => server.remove());

let people = 0;
let ann: Browser;
let ben: Browser;
let room: string;

/** Two people in one room, both of whom look at it. */
beforeEach(async () => {
  people += 1;
  [ann, ben] = [await Browser.open(PORT), await Browser.open(PORT)];
  await ann.register(`ann${people}`);
  await ben.register(`ben${people}`);
  const body = { kind: "private", name: "talk", members: [ben.userId] };
  room = (await ann.http.post<RoomDetails>("/api/rooms", body)).id;
  for (const each of [ann, ben]) {
    await vi.waitFor(() => expect(each.client.rooms.get(room)).toBeDefined(), WITHIN);
    each.client.timelines.open(room);
  }
  await bothSee([]);
});

afterEach(() => {
  ann.close();
  ben.close();
});

const see = (who: Browser, texts: string[]) => vi.waitFor(() => expect(who.texts(room)).toEqual(texts), WITHIN);
const bothSee = async (texts: string[]) => {
  await see(ann, texts);
  await see(ben, texts);
};
const numbered = (who: string, count: number) => Array.from({ length: count }, (_, index) => `${who} ${index + 1}`);

describe("two people", () => {
  test("talk both ways, edit, react, pin and delete", async () => {
    await ann.say(room, "one");
    await bothSee(["one"]);
    await ben.say(room, "two");
    await bothSee(["one", "two"]);
    const [first, second] = ann.messages(room);
    const target = { id: first!.id };
    await ann.client.command(room, { kind: "message.edit", target, text: "uno" });
    await ben.client.command(room, { kind: "reaction.add", target, emoji: "👍" });
    await ben.client.command(room, { kind: "message.pin", target });
    await bothSee(["uno", "two"]);
    await vi.waitFor(() => {
      for (const each of [ann, ben]) {
        const message = each.messages(room)[0]!;
        expect(message.reactions).toEqual({ "👍": [ben.userId] });
        expect(message.pinned_by).toBe(ben.userId);
      }
    }, WITHIN);
    await ben.client.command(room, { kind: "message.delete", target: { id: second!.id } });
    await vi.waitFor(() => expect(ann.messages(room)[1]?.deleted_at).toBeDefined(), WITHIN);
  });

  test("see what is unread, who types and how far the other has read", async () => {
    await ann.say(room, `hello @ben${people}`);
    await see(ben, [`hello @ben${people}`]);
    await vi.waitFor(() => expect(ben.stores.rooms.getState().rooms.get(room)).toMatchObject({ mentions: 1 }), WITHIN);
    const head = ben.client.rooms.head(room);
    ben.client.reading.markRead(room, head);
    await vi.waitFor(() => {
      expect(ben.stores.rooms.getState().rooms.get(room)).toMatchObject({ unread: 0, mentions: 0 });
      expect(ann.stores.people.getState().reads.get(room)?.get(ben.userId)).toBe(head);
    }, WITHIN);
    ben.client.reading.markUnread(room, head);
    await vi.waitFor(() => {
      expect(ben.client.rooms.get(room)?.counts.markedFrom).toBeUndefined();
      expect(ben.stores.rooms.getState().rooms.get(room)).toMatchObject({ read: head - 1, unread: 1, mentions: 1 });
    }, WITHIN);
    await ben.reload();
    await vi.waitFor(() => {
      expect(ben.stores.rooms.getState().rooms.get(room)).toMatchObject({ read: head - 1, unread: 1, mentions: 1 });
    }, WITHIN);
    ben.client.reading.markUnread(room, head);
    ben.client.reading.markRead(room, head); // at once: what was told last counts
    await vi.waitFor(() => {
      expect(ben.client.rooms.get(room)?.counts.known).toBe(head);
      expect(ben.stores.rooms.getState().rooms.get(room)).toMatchObject({ unread: 0 }); // published a moment later
    }, WITHIN);
    ben.client.setTyping(room, true);
    await vi.waitFor(() => expect(ann.stores.people.getState().typing.get(room)).toEqual([ben.userId]), WITHIN);
    ann.client.people.watch(ben.userId);
    ann.client.people.want(ben.userId);
    await vi.waitFor(() => {
      const { presence, profiles } = ann.stores.people.getState();
      expect(presence.get(ben.userId)).toBe("online");
      expect(profiles.get(ben.userId)?.username).toBe(`ben${people}`);
    }, WITHIN);
  });

  test("see who joined, also when they come later", async () => {
    await ben.reload();
    ben.client.timelines.open(room);
    await vi.waitFor(() => {
      ben.client.timelines.flush();
      const items = ben.stores.timelines.getState().get(room)?.items ?? [];
      expect(items.filter((each) => each.type === "notice").length).toBeGreaterThan(0);
    }, WITHIN);
  });
});

describe("nothing is lost, doubled or reordered", () => {
  test("when one is cut off and goes on writing", async () => {
    await ann.say(room, "before");
    await bothSee(["before"]);
    ben.wire.cut();
    await vi.waitFor(() => expect(ben.status).not.toBe("online"), WITHIN);
    for (const text of numbered("ben", 3)) await ben.say(room, text);
    expect(ben.texts(room)).toEqual(["before", "ben 1 (pending)", "ben 2 (pending)", "ben 3 (pending)"]);
    for (const text of numbered("ann", 2)) await ann.say(room, text);
    await see(ann, ["before", "ann 1", "ann 2"]);
    ben.wire.mend();
    await bothSee(["before", "ann 1", "ann 2", "ben 1", "ben 2", "ben 3"]);
  });

  test("when the server is killed in the middle and comes back", async () => {
    const sent = numbered("ann", 40);
    for (const [index, text] of sent.entries()) {
      void ann.say(room, text);
      if (index === 20) {
        await new Promise((resolve) => setTimeout(resolve, 15));
        await server.stop("SIGKILL");
      }
    }
    await vi.waitFor(() => expect(ben.status).not.toBe("online"), WITHIN);
    await server.start();
    await bothSee(sent);
    await vi.waitFor(() => expect(ann.client.outbox.count).toBe(0), WITHIN);
  });

  test("when the page is closed without a connection and opened again without one", async () => {
    await ann.say(room, "before");
    await bothSee(["before"]);
    await vi.waitFor(() => expect(ben.stores.rooms.getState().status).toBe("ready"), WITHIN);
    ben.wire.cut();
    await ben.say(room, "from the train");
    ben.client.drafts.write(room, "and then");
    await ben.client.save();
    await ben.reload();
    ben.client.timelines.open(room);
    expect(ben.stores.rooms.getState()).toMatchObject({ status: "cached" });
    await see(ben, ["before", "from the train (pending)"]);
    expect(ben.stores.rooms.getState().rooms.get(room)?.draft).toBe("and then");
    await ben.reload();
    ben.client.timelines.open(room);
    ben.wire.mend();
    await bothSee(["before", "from the train"]);
  });

  test("over long-polling alone", async () => {
    await ben.reload({ pollingOnly: true });
    ben.client.timelines.open(room);
    await vi.waitFor(
      () => expect(ben.stores.connection.getState()).toMatchObject({ status: "online", transport: "polling" }),
      WITHIN,
    );
    for (const text of numbered("ben", 5)) await ben.say(room, text);
    await bothSee(numbered("ben", 5));
  });

  test("when the server sends everybody away", async () => {
    const seen = new Set<string>();
    ann.stores.connection.subscribe(({ status }) => seen.add(status));
    const stopped = server.stop("SIGTERM");
    await vi.waitFor(() => expect(seen).toContain("draining"), WITHIN);
    await ann.say(room, "meanwhile");
    await stopped;
    await server.start();
    await bothSee(["meanwhile"]);
  });
});

test("a server that was set back to a backup is shown as it is, and so is what is said there since", async () => {
  await ann.say(room, "before");
  await bothSee(["before"]);
  await server.stop("SIGTERM");
  const setBack = server.backUp();
  await server.start();
  for (const text of numbered("lost", 5)) await ann.say(room, text);
  await bothSee(["before", ...numbered("lost", 5)]);
  await Promise.all([ann.client.save(), ben.client.save()]);
  await server.stop("SIGTERM");
  setBack();
  await ben.reload(); // and what was lost is on this device alone
  ben.client.timelines.open(room);
  await see(ben, ["before", ...numbered("lost", 5)]);
  await server.start();
  await bothSee(["before"]);
  await ann.say(room, "after");
  await bothSee(["before", "after"]);
  expect(ben.stores.rooms.getState().rooms.get(room)).toMatchObject({ head: ben.client.rooms.head(room), unread: 2 });
  await ben.client.save();
  ben.wire.cut();
  await ben.reload();
  ben.client.timelines.open(room);
  await see(ben, ["before", "after"]);
});

test("a restored server is shown as it is also by who comes back when more was said there than they knew", async () => {
  await ann.say(room, "before");
  await bothSee(["before"]);
  const restore = server.backUpByCommand();
  for (const text of numbered("lost", 3)) await ann.say(room, text);
  await bothSee(["before", ...numbered("lost", 3)]);
  ben.client.reading.markRead(room, ben.client.rooms.head(room));
  await ben.client.save();
  ben.crash();
  await server.stop("SIGTERM");
  restore();
  await server.start();
  await see(ann, ["before"]);
  for (const text of numbered("since", 9)) await ann.say(room, text);
  await see(ann, ["before", ...numbered("since", 9)]);
  await ben.reload();
  ben.client.timelines.open(room);
  await bothSee(["before", ...numbered("since", 9)]);
  expect(ben.stores.rooms.getState().rooms.get(room)).toMatchObject({ head: ann.client.rooms.head(room) });
  expect(ben.stores.rooms.getState().rooms.get(room)?.unread).toBeGreaterThanOrEqual(9);
});

describe("a history longer than a page", () => {
  test("is loaded piece by piece, jumped into, and left again", async () => {
    const texts = numbered("ann", 150);
    for (const text of texts) void ann.say(room, text);
    await see(ann, texts);
    const cem = await Browser.open(PORT); // whose device has never seen the room
    await cem.register(`cem${people}`);
    await ann.http.post(`/api/rooms/${room}/members`, { user_id: cem.userId });
    await vi.waitFor(() => expect(cem.client.rooms.get(room)).toBeDefined(), WITHIN);
    cem.client.timelines.open(room);
    const timeline = () => {
      cem.client.timelines.flush();
      return cem.stores.timelines.getState().get(room)!;
    };
    await vi.waitFor(() => expect(timeline().items.at(-1)).toMatchObject({ type: "notice", seq: 153 }), WITHIN);
    expect(cem.texts(room)).toEqual(texts.slice(-59));
    const seq = await timeline().jumpTo(ann.messages(room)[3]!.id);
    expect(timeline().messages.some((each) => each.seq === seq)).toBe(true);
    await timeline().loadOlder();
    await timeline().loadOlder();
    expect(timeline().hasOlder).toBe(false);
    expect(
      timeline()
        .items.slice(0, 3)
        .map(({ type, seq }) => `${type} ${seq}`),
    ).toEqual(["notice 1", "notice 2", "message 3"]);
    await timeline().jumpToLatest();
    expect(timeline().hasNewer).toBe(false);
    expect(cem.texts(room).at(-1)).toBe("ann 150");
    expect(await timeline().jumpTo("01980000-0000-7000-8000-000000000000")).toBeUndefined();
    cem.close();
  });
});

describe("the end of a session", () => {
  test("elsewhere signs this device out, and leaves nothing on it", async () => {
    expect(ben.stores.session.getState().session?.sessionId).not.toBe("");
    await ben.http.post("/api/auth/logout", {});
    await vi.waitFor(
      () => expect(ben.stores.session.getState()).toMatchObject({ session: null, reason: "logout" }),
      WITHIN,
    );
    expect(ben.status).toBe("signed-out");
    await ben.reload();
    expect(ben.stores.session.getState().session).toBeNull();
  });

  test("without a network is told to the server later", async () => {
    ben.wire.cut();
    await ben.signOut();
    expect(ben.stores.session.getState()).toMatchObject({ session: null, reason: "logout" });
    ben.wire.mend();
    await ben.reload();
    await expect(ben.http.post("/api/auth/refresh", { cookie: true }, { anonymous: true })).rejects.toThrow();
  });
});
