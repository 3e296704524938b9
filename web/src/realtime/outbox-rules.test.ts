import { describe, expect, test } from "vitest";
import {
  acknowledged,
  added,
  attempted,
  discarded,
  edited,
  heldUntil,
  isPermanent,
  next,
  refused,
  released,
  retried,
  seen,
  settled,
  type Command,
  type Entries,
  type OutboxEntry,
} from "./outbox-rules";

let orders = 0;
function entry(clientId: string, command: Command = { kind: "message.send", text: clientId }): OutboxEntry {
  return { order: ++orders, clientId, roomId: "room", at: 0, command, attempts: 0, state: "waiting" };
}
function outbox(...entries: OutboxEntry[]): Entries {
  return entries.reduce<Entries>(added, []);
}
const forbidden = { code: "forbidden", message: "" };
const placed = (seq: number) => ({ id: `id-${seq}`, seq, at: seq });
const editOf = (clientId: string, text: string): Command => ({ kind: "message.edit", target: { clientId }, text });
const ids = (entries: Entries) => entries.map((each) => each.clientId);

describe("what is sent next", () => {
  test("is the first that waits", () => {
    expect(next(outbox(entry("a"), entry("b")), 0)?.clientId).toBe("a");
  });

  test("passes over what was acknowledged and what was refused for good", () => {
    const entries = refused(acknowledged(outbox(entry("a"), entry("b"), entry("c")), "a", placed(1)), "b", forbidden);
    expect(next(entries, 0)?.clientId).toBe("c");
  });

  test("passes over what builds on a refused one, and nothing else", () => {
    const sent = attempted(outbox(entry("a")), "a");
    const entries = refused(added(added(sent, entry("e", editOf("a", "x"))), entry("b")), "a", forbidden);
    expect(next(entries, 0)?.clientId).toBe("b");
    expect(next(retried(entries, "a"), 0)?.clientId).toBe("a");
  });
});

describe("what is held to be taken back", () => {
  const target = { id: "m" };
  const deletion = (): OutboxEntry => ({ ...entry("d", { kind: "message.delete", target }), at: 100, notBefore: 200 });

  test("is not sent before its time", () => {
    const entries = outbox(deletion());
    expect(next(entries, 199)).toBeUndefined();
    expect(heldUntil(entries, 199)).toBe(200);
    expect(next(entries, 200)?.clientId).toBe("d");
    expect(heldUntil(entries, 200)).toBeUndefined();
  });

  test("is overtaken by all but what concerns the same message", () => {
    const edit = entry("e", { kind: "message.edit", target, text: "x" });
    const entries = outbox(deletion(), edit, entry("a"));
    expect(next(entries, 150)?.clientId).toBe("a");
    expect(next(discarded(entries, "d"), 150)?.clientId).toBe("e");
    expect(next(outbox(edit, deletion()), 150)?.clientId).toBe("e");
  });

  test("waits no longer where the clock was set back, or the page is left", () => {
    expect(next(outbox(deletion()), 50)?.clientId).toBe("d");
    expect(next(released(outbox(deletion())), 150)?.clientId).toBe("d");
  });
});

describe("an edit", () => {
  test("of a message that was never sent changes it", () => {
    const entries = outbox(entry("a"), entry("e", editOf("a", "better")));
    expect(ids(entries)).toEqual(["a"]);
    expect(entries[0]!.command).toMatchObject({ text: "better" });
  });

  test("of one that may have been sent follows it, and names it once it has an id", () => {
    const entries = added(attempted(outbox(entry("a")), "a"), entry("e", editOf("a", "better")));
    expect(ids(entries)).toEqual(["a", "e"]);
    const after = acknowledged(entries, "a", placed(7));
    expect(next(after, 0)?.command).toEqual({ kind: "message.edit", target: { id: "id-7" }, text: "better" });
  });

  test("made while the acknowledgement came names the id", () => {
    const sent = acknowledged(attempted(outbox(entry("a")), "a"), "a", placed(7));
    expect(added(sent, entry("e", editOf("a", "x"))).at(-1)?.command).toMatchObject({ target: { id: "id-7" } });
  });

  test("of a refused message makes it a new command, and what builds on it follows", () => {
    let entries = attempted(outbox(entry("a")), "a");
    entries = added(entries, entry("b", { kind: "message.send", text: "re", replyTo: { clientId: "a" } }));
    entries = edited(refused(entries, "a", forbidden), "a", "better", "fresh");
    expect(entries[0]).toMatchObject({ clientId: "fresh", state: "waiting", attempts: 0, command: { text: "better" } });
    expect(entries[0]!.error).toBeUndefined();
    expect(entries[1]!.command).toMatchObject({ replyTo: { clientId: "fresh" } });
  });

  test("does not touch what is on its way", () => {
    const entries = attempted(outbox(entry("a")), "a");
    expect(edited(entries, "a", "other")).toBe(entries);
  });
});

describe("discarding", () => {
  test("a message takes what was to be done to it, and leaves replies", () => {
    let entries = attempted(outbox(entry("a")), "a");
    entries = added(entries, entry("r", { kind: "reaction.add", target: { clientId: "a" }, emoji: "x" }));
    entries = added(entries, entry("b", { kind: "message.send", text: "re", replyTo: { clientId: "a" } }));
    entries = discarded(refused(entries, "a", forbidden), "a");
    expect(ids(entries)).toEqual(["b"]);
    expect(entries[0]!.command).toEqual({ kind: "message.send", text: "re" });
  });

  test("deleting a message that was never sent takes it away", () => {
    expect(outbox(entry("a"), entry("d", { kind: "message.delete", target: { clientId: "a" } }))).toEqual([]);
  });

  test("comes too late for what was acknowledged", () => {
    const entries = acknowledged(outbox(entry("a")), "a", placed(1));
    expect(ids(discarded(entries, "a"))).toEqual(["a"]);
  });
});

describe("an entry is done", () => {
  test("when its event is seen, acknowledged or not", () => {
    const entries = added(attempted(outbox(entry("a")), "a"), entry("e", editOf("a", "x")));
    const after = seen(entries, new Map([["a", { id: "id-1", seq: 1, at: 1 }]]));
    expect(ids(after)).toEqual(["e"]);
    expect(after[0]!.command).toMatchObject({ target: { id: "id-1" } });
  });

  test("when it is acknowledged and all up to its place is known", () => {
    const entries = acknowledged(outbox(entry("a"), entry("b")), "a", placed(5));
    expect(settled(entries, 4)).toBe(entries);
    expect(ids(settled(entries, 5))).toEqual(["b"]);
  });

  test("a late refusal does not undo an acknowledgement", () => {
    const entries = refused(acknowledged(outbox(entry("a")), "a", placed(5)), "a", forbidden);
    expect(entries[0]).toMatchObject({ state: "placed" });
  });
});

describe("a refusal", () => {
  test.each(["forbidden", "room_not_found", "invalid_text", "message_deleted", "not_yours", "unknown_event"])(
    "%s is for good",
    (code) => expect(isPermanent({ code, message: "" }, 1)).toBe(true),
  );

  test.each(["rate_limited", "busy", "unavailable", "database_unavailable", "token_expired", "unauthenticated"])(
    "%s is not",
    (code) => expect(isPermanent({ code, message: "" }, 100)).toBe(false),
  );

  test("that says when to come back is not, whatever its code", () => {
    expect(isPermanent({ code: "from_the_future", message: "", retry_after: 3 }, 100)).toBe(false);
  });

  test.each(["internal", "from_the_future"])("%s is for good once it stays", (code) => {
    expect(isPermanent({ code, message: "" }, 1)).toBe(false);
    expect(isPermanent({ code, message: "" }, 5)).toBe(true);
  });
});
