import fc from "fast-check";
import { describe, expect, test } from "vitest";
import cases from "../../../tests/cases/fold.json";
import { apply, type RoomView } from "./reconcile";
import type { Message, RoomEvent } from "./schema.gen";
import { logs } from "./testing/logs";

interface SharedCase {
  name: string;
  view: { head: number; messages: Record<string, Message> };
  events: RoomEvent[];
  expected: { head: number; messages: Record<string, Message> };
}

function folded(events: readonly RoomEvent[], view: RoomView = { head: 0, messages: [] }): RoomView {
  return events.reduce(apply, view);
}

describe("the cases that the server's fold runs too", () => {
  test.each(cases as unknown as SharedCase[])("$name", ({ view, events, expected }) => {
    const before = { head: view.head, messages: bySeq(view.messages) };
    const kept = structuredClone(before);
    const after = folded(events, before);
    expect({ head: after.head, messages: Object.fromEntries(after.messages.map((each) => [each.id, each])) }).toEqual(
      expected,
    );
    expect(before, "the fold changed its input").toEqual(kept);
  });
});

describe("for any log", () => {
  test("a snapshot and the events since give the whole view", () => {
    fc.assert(
      fc.property(logs(), fc.nat(60), (log, cut) => {
        expect(folded(log.slice(cut), folded(log.slice(0, cut)))).toEqual(folded(log));
      }),
    );
  });

  test("events applied again change nothing, not even the object", () => {
    fc.assert(
      fc.property(logs(), fc.nat(60), (log, start) => {
        const view = folded(log);
        expect(folded(log.slice(start), view)).toBe(view);
      }),
    );
  });

  test("a page newer than its head takes the events since", () => {
    fc.assert(
      fc.property(logs(), fc.nat(60), (log, cut) => {
        const head = Math.min(cut, log.length);
        expect(folded(log.slice(head), { head, messages: folded(log).messages })).toEqual(folded(log));
      }),
    );
  });

  test("what an event does not concern stays the same object", () => {
    fc.assert(
      fc.property(logs({ minLength: 2 }), (log) => {
        const last = log[log.length - 1]!;
        const before = folded(log.slice(0, -1));
        const after = apply(before, last);
        const changed = before.messages.filter((each) => !after.messages.includes(each));
        expect(changed.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

function bySeq(messages: Record<string, Message>): Message[] {
  return Object.values(messages).sort((a, b) => a.seq - b.seq);
}
