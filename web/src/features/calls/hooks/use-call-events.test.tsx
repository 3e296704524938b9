import { renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { CallEvent, CallView } from "@/realtime";
import { desk, stopRing } from "../model/desk";
import { sayFarewell } from "../model/farewell";
import { useCallEvents } from "./use-call-events";

const wire = vi.hoisted(() => ({
  status: "online",
  refusal: undefined as Error | undefined,
  listeners: new Set<(event: CallEvent) => void>(),
  sent: [] as unknown[],
}));

vi.mock("@/realtime", () => {
  class CommandRefused extends Error {
    constructor(readonly error: object) {
      super();
    }
  }
  return {
    CommandRefused,
    useConnection: () => ({ status: wire.status }),
    onCallEvent: (listener: (event: CallEvent) => void) => {
      wire.listeners.add(listener);
      return () => wire.listeners.delete(listener);
    },
    emitCall: (name: string, { call_id }: { call_id: string }) => {
      if (wire.status !== "online") return Promise.reject(new Error("no answer"));
      wire.sent.push([name, call_id]);
      return wire.refusal === undefined ? Promise.resolve({ ok: true }) : Promise.reject(wire.refusal);
    },
  };
});

const call: CallView = {
  id: "call",
  room_id: "room",
  state: "ringing",
  mode: "p2p",
  media: "audio",
  started_by: "ann",
  started_at: 0,
  answered_at: null,
};
const tell = (event: CallEvent) => wire.listeners.forEach((listener) => listener(event));
const rings = () => tell({ name: "call.ringing", payload: { call } });
const shown = () => desk.getState().rings.map(({ id }) => id);

let view: { rerender: () => void; unmount: () => void };
async function become(status: string): Promise<void> {
  wire.status = status;
  view.rerender();
  await Promise.resolve();
  await Promise.resolve();
}

beforeEach(() => {
  wire.status = "online";
  wire.refusal = undefined;
  view = renderHook(() => useCallEvents("ben"));
});
afterEach(() => {
  view.unmount();
  wire.sent.length = 0;
});

it("tells of what was declined without a connection once it is back, and does not ring again for it", async () => {
  rings();
  expect(shown()).toEqual(["call"]);
  await become("reconnecting");
  stopRing("call");
  sayFarewell("call.decline", "call");
  await Promise.resolve();
  expect(wire.sent).toEqual([]);
  wire.status = "online";
  rings(); // the server's first words
  await become("online");
  expect(wire.sent).toEqual([["call.decline", "call"]]);
  expect(shown()).toEqual([]);
  await become("reconnecting");
  await become("online");
  expect(wire.sent).toHaveLength(1);
});

it("tells of having hung up until the server answers, be it with a no", async () => {
  await become("reconnecting");
  sayFarewell("call.leave", "call");
  wire.refusal = new Error("cut off");
  await become("online");
  await become("reconnecting");
  wire.refusal = new (await import("@/realtime")).CommandRefused({ code: "call_not_found", message: "" });
  await become("online");
  await become("reconnecting");
  await become("online");
  expect(wire.sent).toEqual(Array(2).fill(["call.leave", "call"]));
});

it("has nothing to tell of a call that is over, nor for another person", async () => {
  await become("reconnecting");
  sayFarewell("call.leave", "call");
  sayFarewell("call.leave", "another");
  tell({
    name: "call.ended",
    payload: { call_id: "call", room_id: "room", reason: "hangup", duration_ms: 1, missed: false },
  });
  view.unmount();
  view = renderHook(() => useCallEvents("ann"));
  await become("online");
  expect(wire.sent).toEqual([]);
});

it("tells again what the server could not do yet", async () => {
  wire.refusal = new (await import("@/realtime")).CommandRefused({
    code: "unavailable",
    message: "",
    retry_after: 0.01,
  });
  sayFarewell("call.decline", "call");
  await vi.waitFor(() => expect(wire.sent.length).toBeGreaterThan(1));
  wire.refusal = undefined;
  const tries = wire.sent.length;
  await vi.waitFor(() => expect(wire.sent.length).toBeGreaterThan(tries));
  await become("reconnecting");
  const told = wire.sent.length;
  await become("online");
  expect(wire.sent).toHaveLength(told);
});
