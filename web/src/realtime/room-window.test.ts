import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply, type RoomView } from "./reconcile";
import {
  MAX_ENTRIES,
  caughtUp,
  fromPage,
  fromSaved,
  hasGap,
  isNotice,
  receive,
  receiveAll,
  toSaved,
  withNewer,
  withOlder,
  type RoomWindow,
} from "./room-window";
import type { Message, MessagePage, RoomEvent, RoomSync } from "./schema.gen";
import { logs, messagesOnly, pageOf } from "./testing/logs";

const LIMIT = 5;

/** The server's side of a room: pages and syncs as it makes them when its log has `head` events. */
function server(log: readonly RoomEvent[]) {
  const views: RoomView[] = [{ head: 0, messages: [] }];
  for (const event of log) views.push(apply(views[views.length - 1]!, event));
  const entries = (head: number): (Message | RoomEvent)[] =>
    [...views[head]!.messages, ...log.slice(0, head).filter(isNotice)].sort((a, b) => a.seq - b.seq);
  return {
    /** `newer`: how many events were appended between reading the head and reading the messages. */
    page(head: number, part: { before?: number; after?: number; around?: number }, newer = 0): MessagePage {
      const upto = Math.min(head + newer, log.length);
      const all = entries(upto);
      const { before = Infinity, after, around } = part;
      const below = all.filter((each) => each.seq < before);
      let chosen = below.slice(-LIMIT);
      if (after !== undefined) chosen = all.filter((each) => each.seq > after).slice(0, LIMIT);
      if (around !== undefined) {
        const start = Math.max(0, all.findLastIndex((each) => each.seq <= around) - 2);
        chosen = all.slice(start, start + LIMIT);
      }
      return pageOf(chosen, head);
    },
    sync(head: number, from: number, gap = 500): RoomSync {
      if (head - from > gap) return { head, events: [], reset: true };
      return { head, events: log.slice(from, head), reset: false };
    },
    /** What a window must show once it has everything up to the end of the log. */
    shown(window: RoomWindow) {
      const upto = window.live ? Infinity : window.upto;
      return entries(log.length).filter((each) => each.seq >= window.from && each.seq <= upto);
    },
  };
}

function held(window: RoomWindow): (Message | RoomEvent)[] {
  return [...window.view.messages, ...window.notices].sort((a, b) => a.seq - b.seq);
}

/** One thing that may happen to a window; `at` picks where, as a fraction. */
type Happening =
  | { what: "live"; lost: boolean; repeat: number }
  | { what: "late"; at: number }
  | { what: "older" | "newer" | "latest" | "around"; lag: number; newer: number; at: number }
  | { what: "sync"; lag: number; gap: number }
  | { what: "reload"; count: number };

const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ what: fc.constant("live" as const), lost: fc.boolean(), repeat: fc.nat(3) }) },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constant("late" as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constantFrom("older" as const, "newer" as const, "latest" as const, "around" as const),
        lag: fc.nat(6),
        newer: fc.nat(3),
        at: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constant("sync" as const), lag: fc.nat(4), gap: fc.constantFrom(3, 500) }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("reload" as const), count: fc.constantFrom(3, 200) }) },
  ),
  { maxLength: 80 },
);

/** Runs what happens, as the owner of windows does: a page that is too old is asked for again, now. */
function run(log: readonly RoomEvent[], steps: readonly Happening[], start: number): RoomWindow {
  const { page, sync } = server(log);
  let head = Math.min(start, log.length); // of the server's log
  let window = fromPage(page(head, {}), LIMIT);
  for (const step of steps) {
    switch (step.what) {
      case "live":
        if (head < log.length) head += 1;
        if (!step.lost)
          for (let time = 0; time <= step.repeat; time++) window = receiveAll(window, log.slice(head - 1, head));
        break;
      case "late":
        window = receiveAll(
          window,
          log
            .slice(Math.floor(step.at * head))
            .slice(0, 1)
            .filter((each) => each.seq <= head),
        );
        break;
      case "older": {
        const part = { before: window.from };
        const made = Math.max(0, head - step.lag);
        window =
          withOlder(window, page(made, part, Math.min(step.newer, head - made)), LIMIT) ??
          withOlder(window, page(head, part), LIMIT) ??
          window;
        break;
      }
      case "newer": {
        if (window.live) break;
        const part = { after: window.upto };
        const made = Math.max(0, head - step.lag);
        window =
          withNewer(window, page(made, part, Math.min(step.newer, head - made)), LIMIT) ??
          withNewer(window, page(head, part), LIMIT) ??
          window;
        break;
      }
      case "latest":
        window = fromPage(page(Math.max(0, head - step.lag), {}, Math.min(step.newer, step.lag)), LIMIT, {
          before: window,
        });
        break;
      case "around":
        window = fromPage(page(Math.max(0, head - step.lag), { around: Math.ceil(step.at * head) }), LIMIT, {
          around: true,
          before: window,
        });
        break;
      case "sync": {
        const from = window.view.head;
        const answer = sync(Math.max(from, head - step.lag), from, step.gap);
        window = caughtUp(window, from, answer) ?? fromPage(page(head, {}), LIMIT, { before: window });
        break;
      }
      case "reload": {
        const saved = toSaved(window, step.count);
        if (saved !== undefined) window = fromSaved(structuredClone(saved));
        break;
      }
    }
  }
  return receiveAll(window, sync(log.length, window.view.head).events);
}

describe("whatever comes in whatever order", () => {
  test("the window shows what the log says", () => {
    fc.assert(
      fc.property(logs({ minLength: 1, maxLength: 90 }), happenings, fc.nat(60), (log, steps, start) => {
        const window = run(log, steps, start);
        expect(window.view.head).toBe(log.length);
        expect(held(window)).toEqual(server(log).shown(window));
        expect(window.notices.map((each) => each.seq)).toEqual(window.notices.map((each) => each.seq).sort(ascending));
        expect(hasGap(window, log.length)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test("scrolled through to both ends it shows what was live from the beginning", () => {
    fc.assert(
      fc.property(logs({ minLength: 1, maxLength: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (log, at) => {
        const { page } = server(log);
        let window = fromPage(page(log.length, { around: Math.ceil(at * log.length) }), LIMIT, { around: true });
        while (!window.complete) window = withOlder(window, page(log.length, { before: window.from }), LIMIT)!;
        while (!window.live) window = withNewer(window, page(log.length, { after: window.upto }), LIMIT)!;
        const live = receiveAll(fromPage({ messages: [], events: [], head: 0 }, LIMIT), log);
        expect(held(window)).toEqual(held(live));
      }),
    );
  });
});

function ascending(a: number, b: number): number {
  return a - b;
}

describe("a page that was made before events which the window has", () => {
  const edit = (seq: number, message_id: string): RoomEvent => ({
    ...messagesOnly(1)[0]!,
    seq,
    id: `message-${seq}`,
    type: "message.edited",
    data: { message_id, text: "edited" },
  });
  const log = [...messagesOnly(12), edit(13, "message-2"), edit(14, "message-9")];
  const latest = fromPage(server(log).page(12, {}), LIMIT);

  test("takes them, older messages", () => {
    const window = withOlder(receiveAll(latest, log.slice(12)), server(log).page(12, { before: 8 }), LIMIT)!;
    expect(window.view.messages.find((each) => each.id === "message-3")!.text).toBe("message 3");
    const all = withOlder(window, server(log).page(12, { before: 3 }), LIMIT)!;
    expect(all.view.messages.find((each) => each.id === "message-2")!.text).toBe("edited");
  });

  test("takes them, newer messages", () => {
    const around = fromPage(server(log).page(12, { around: 3 }), LIMIT, { around: true });
    const window = withNewer(receiveAll(around, log.slice(12)), server(log).page(12, { after: 5 }), LIMIT)!;
    expect(window.view.messages.find((each) => each.id === "message-9")!.text).toBe("edited");
  });

  test("takes them, messages that began since and belong to the end", () => {
    const around = fromPage(server(log).page(6, { around: 1 }), LIMIT, { around: true });
    const window = withNewer(receiveAll(around, log.slice(6)), server(log).page(8, { after: 5 }), LIMIT)!;
    expect(window.live).toBe(true);
    expect(window.view.messages.map((each) => each.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test("takes them, what happened since among the messages at the end", () => {
    const joined = log.map((each) =>
      each.seq < 9 ? each : { ...each, type: "member.left" as const, data: { user_id: "ben" } },
    );
    const around = fromPage(server(joined).page(6, { around: 1 }), LIMIT, { around: true });
    const window = withNewer(receiveAll(around, joined.slice(6)), server(joined).page(8, { after: 5 }), LIMIT)!;
    expect(window.notices.map((each) => each.seq)).toEqual([9, 10, 11, 12, 13, 14]);
  });

  test("takes them, the latest page itself", () => {
    const before = receiveAll(latest, log.slice(12));
    expect(fromPage(server(log).page(12, {}), LIMIT, { before }).view.head).toBe(14);
  });

  test("is of no use where they are not remembered any more", () => {
    const many = messagesOnly(400);
    const window = receiveAll(fromPage(server(many).page(10, {}), LIMIT), many.slice(10));
    expect(withOlder(window, server(many).page(20, { before: 5 }), LIMIT)).toBeUndefined();
    expect(withOlder(window, server(many).page(390, { before: 5 }), LIMIT)).toBeDefined();
  });
});

describe("a gap", () => {
  const log = messagesOnly(10);
  const start = fromPage(server(log).page(5, {}), LIMIT);

  test("holds back what comes after it until it is filled", () => {
    const gapped = receive(start, log[7]!);
    expect(gapped.view.head).toBe(5);
    expect(hasGap(gapped)).toBe(true);
    const filled = caughtUp(gapped, 5, server(log).sync(7, 5))!;
    expect(filled.view.head).toBe(8);
    expect(hasGap(filled)).toBe(false);
  });

  test("too long to be synced asks for a page", () => {
    expect(caughtUp(start, 5, { head: 900, events: [], reset: true })).toBeUndefined();
  });

  test("of a server that was set back asks for a page", () => {
    expect(caughtUp(start, 5, { head: 2, events: [], reset: true })).toBeUndefined();
  });

  test("filled by other means meanwhile needs none", () => {
    const window = receiveAll(start, log.slice(5));
    expect(caughtUp(window, 5, { head: 8, events: [], reset: true })).toBe(window);
  });
});

describe("bounds", () => {
  const log = messagesOnly(2 * MAX_ENTRIES + 10);
  const page = (from: number, upto: number) => ({
    messages: viewed(log, from, upto).toReversed(),
    events: [],
    head: log.length,
  });

  test("a live window is cut at its beginning", () => {
    const window = receiveAll(fromPage({ messages: [], events: [], head: 0 }, LIMIT), log);
    expect(window.complete).toBe(false);
    expect(window.live).toBe(true);
    expect(window.view.messages.length).toBeLessThanOrEqual(2 * MAX_ENTRIES);
    expect(window.view.messages.at(-1)!.seq).toBe(log.length);
  });

  test("history pushes the newest out, and they can be loaded again", () => {
    let window = fromPage(page(log.length - 1_000, log.length), 1_000);
    window = withOlder(window, page(log.length - 2_000, log.length - 1_000), 1_000)!;
    expect(window.view.messages.length).toBe(MAX_ENTRIES);
    expect(window.live).toBe(false);
    window = withNewer(window, page(log.length - 500, log.length), 1_000)!;
    expect(window.live).toBe(true);
    expect(window.view.messages.at(-1)!.seq).toBe(log.length);
    expect(window.view.messages.length).toBe(MAX_ENTRIES);
  });

  test("notices count like messages, at either end", () => {
    const joined: RoomEvent[] = log.map((event) => ({
      ...event,
      type: "member.joined",
      data: { user_id: `user ${event.seq}`, role: "member" },
    }));
    const events = (from: number, upto: number) => ({
      messages: [],
      events: joined.slice(from, upto).reverse(),
      head: joined.length,
    });
    const live = receiveAll(fromPage({ messages: [], events: [], head: 0 }, LIMIT), joined);
    expect(live.notices.length).toBeLessThanOrEqual(2 * MAX_ENTRIES);
    expect(live.notices[0]!.seq).toBe(live.from);
    expect(live.complete).toBe(false);
    let window = fromPage(events(joined.length - 1_000, joined.length), 1_000);
    window = withOlder(window, events(joined.length - 2_000, joined.length - 1_000), 1_000)!;
    expect([window.live, window.notices.length, window.notices.at(-1)!.seq]).toEqual([false, MAX_ENTRIES, window.upto]);
    expect(toSaved(live, 20)).toMatchObject({ from: joined.length - 19, complete: false });
    expect(toSaved(live, 20)?.notices).toHaveLength(20);
  });

  test("a window that is not live is not saved", () => {
    const window = fromPage({ messages: [], events: [], head: 4 }, LIMIT, { around: true });
    expect(toSaved(window, 200)).toBeUndefined();
  });
});

function viewed(log: readonly RoomEvent[], from: number, upto: number) {
  return log.slice(from, upto).reduce<RoomView>(apply, { head: 0, messages: [] }).messages;
}
