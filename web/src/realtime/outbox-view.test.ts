import { describe, expect, test } from "vitest";
import type { Command, OutboxEntry } from "./outbox-rules";
import { asSent, overlaid } from "./outbox-view";
import type { Message } from "./schema.gen";

const ME = "ann";
const theirs: Message = {
  id: "m1",
  room_id: "room",
  seq: 1,
  sender_id: "ben",
  client_id: "c1",
  at: 1,
  text: "one",
  version: 1,
  reactions: { x: ["ben"] },
};
const mine: Message = { ...theirs, id: "m2", seq: 2, sender_id: ME, client_id: "c2", text: "two", version: 2 };

let orders = 0;
function entry(command: Command, rest: Partial<OutboxEntry> = {}): OutboxEntry {
  orders += 1;
  const base = { order: orders, clientId: `new ${orders}`, roomId: "room", at: 10, attempts: 0 } as const;
  return { ...base, command, state: "waiting", ...rest };
}
const show = (...entries: OutboxEntry[]) => overlaid([theirs, mine], entries, ME, true);
const target = { id: "m2" };

describe("a deletion", () => {
  const deletion = { kind: "message.delete", target } as const;

  test("can be taken back until it is sent", () => {
    const held = entry(deletion);
    expect(show(held)[1]).toMatchObject({ text: "", clientId: held.clientId, recallable: true });
    expect(show(entry(deletion, { attempts: 1 }))[1]).not.toHaveProperty("recallable");
  });

  test("of a message with an edit that failed can be taken back, too", () => {
    const edit = entry({ kind: "message.edit", target, text: "x" }, { state: "failed" });
    const held = entry(deletion);
    expect(show(edit, held)[1]).toMatchObject({ clientId: held.clientId, command: "message.delete", recallable: true });
  });
});

describe("a message", () => {
  test("that nothing is done to stays the same object", () => {
    expect(show()[0]).toBe(asSent(theirs));
    expect(show(entry({ kind: "message.delete", target }))[0]).toBe(asSent(theirs));
  });

  test("on its way stands at the end, pending, under the key that it keeps", () => {
    const sending = entry({ kind: "message.send", text: "three", replyTo: target });
    const shown = show(sending)[2]!;
    expect(shown).toMatchObject({ text: "three", state: "pending", seq: 0, at: 10, reply_to: "m2" });
    const arrived: Message = { ...mine, id: "m3", seq: 3, client_id: sending.clientId, text: "three", version: 3 };
    const after = overlaid([theirs, mine, arrived], [sending], ME, true);
    expect(after).toHaveLength(3);
    expect(after[2]).toMatchObject({ key: shown.key, state: "sent", id: "m3" });
  });

  test("that was acknowledged and not seen yet counts as sent", () => {
    const placed = entry(
      { kind: "message.send", text: "x" },
      { state: "placed", placed: { id: "m9", seq: 9, at: 99 } },
    );
    expect(show(placed)[2]).toMatchObject({ state: "sent", id: "m9", seq: 9, at: 99 });
  });

  test("on its way shows only where the window reaches the end of the room", () => {
    expect(overlaid([theirs], [entry({ kind: "message.send", text: "x" })], ME, false)).toHaveLength(1);
  });

  test("that was refused says so and names its command", () => {
    const error = { code: "forbidden", message: "no" };
    const failed = entry({ kind: "message.send", text: "x" }, { state: "failed", error });
    expect(show(failed)[2]).toMatchObject({ state: "failed", error, clientId: failed.clientId });
  });
});

describe("what is done to a message shows at once", () => {
  test("an edit, pending", () => {
    const edit = entry({ kind: "message.edit", target, text: "zwei" });
    expect(show(edit)[1]).toMatchObject({ text: "zwei", edited_at: 10, state: "pending", clientId: edit.clientId });
    expect(show(edit)[1]).toMatchObject({ command: "message.edit" });
  });

  test("an edit that failed keeps its text and says why; a deletion that failed leaves the message", () => {
    const failed = { state: "failed", error: { code: "not_yours", message: "" } } as const;
    expect(show(entry({ kind: "message.edit", target, text: "zwei" }, failed))[1]).toMatchObject({
      text: "zwei",
      state: "failed",
      error: failed.error,
    });
    const kept = show(entry({ kind: "message.delete", target }, failed))[1]!;
    expect(kept).toMatchObject({ text: "two", state: "failed", command: "message.delete" });
    expect(kept.deleted_at).toBeUndefined();
  });

  test("a deletion, a pin and its end", () => {
    expect(show(entry({ kind: "message.delete", target }))[1]).toMatchObject({ text: "", deleted_at: 10 });
    const pin = entry({ kind: "message.pin", target });
    expect(show(pin)[1]).toMatchObject({ pinned_at: 10, pinned_by: ME });
    expect(show(pin, entry({ kind: "message.unpin", target }))[1]!.pinned_at).toBeUndefined();
  });

  test("reactions, without making the message pending", () => {
    const add = entry({ kind: "reaction.add", target: { id: "m1" }, emoji: "x" });
    expect(show(add)[0]).toMatchObject({ state: "sent", reactions: { x: ["ben", ME] } });
    const remove = entry({ kind: "reaction.remove", target: { id: "m1" }, emoji: "x" });
    expect(show(add, remove)[0]).toMatchObject({ reactions: { x: ["ben"] } });
  });

  test("what is done to a message that is on its way itself", () => {
    const sending = entry({ kind: "message.send", text: "x" });
    const edit = entry({ kind: "message.edit", target: { clientId: sending.clientId }, text: "y" });
    expect(show(sending, edit)[2]).toMatchObject({ text: "y", state: "pending", clientId: edit.clientId });
  });
});
