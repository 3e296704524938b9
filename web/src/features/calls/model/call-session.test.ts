// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CallEvent, CallJoined, ParticipantView } from "@/realtime";
import { CallSession } from "./call-session";
import { desk } from "./desk";
import { tellFarewells } from "./farewell";

const wire = vi.hoisted(() => ({
  listeners: new Set<(event: CallEvent) => void>(),
  sent: [] as [name: string, payload: unknown][],
  answer: (name: string): Promise<unknown> => Promise.resolve({ ok: true, name }),
  links: [] as { polite: boolean; received: unknown[]; restarts: number; closed: boolean }[],
  /** Answers of the browser that asks for a device. */
  devices: new Map<string, { give: (track: unknown) => void; refuse: () => void }>(),
  device: (source: string) =>
    new Promise((give, refuse) => void wire.devices.set(source, { give, refuse: () => refuse(new Error()) })),
}));

vi.mock("@/realtime", () => ({
  CommandRefused: class extends Error {
    constructor(readonly error: { code: string }) {
      super(error.code);
    }
  },
  onCallEvent: (listener: (event: CallEvent) => void) => {
    wire.listeners.add(listener);
    return () => wire.listeners.delete(listener);
  },
  emitCall: (name: string, payload: unknown) => {
    wire.sent.push([name, payload]);
    return wire.answer(name);
  },
}));

vi.mock("@/media", () => ({
  listDevices: () => Promise.resolve([]),
  chooseDevice: () => undefined,
  mediaProblem: () => "failed",
  openMicrophone: () => wire.device("microphone"),
  openCamera: () => wire.device("camera"),
  PeerLink: class {
    readonly polite: boolean;
    readonly received: unknown[] = [];
    restarts = 0;
    closed = false;
    constructor(_tracks: unknown, { polite }: { polite: boolean }) {
      this.polite = polite;
      wire.links.push(this);
    }
    receive(signal: unknown) {
      this.received.push(signal);
    }
    setTrack() {
      return Promise.resolve();
    }
    restart() {
      this.restarts += 1;
    }
    close() {
      this.closed = true;
    }
  },
}));

const participant = (id: string, changes: Partial<ParticipantView> = {}): ParticipantView => ({
  id,
  user_id: `user ${id}`,
  state: "connected",
  joined_at: 0,
  audio: true,
  video: false,
  screen: false,
  ...changes,
});

const joined = (me: string, others: string[]): CallJoined => ({
  ok: true,
  call: {
    id: "call",
    room_id: "room",
    state: others.length > 0 ? "active" : "ringing",
    mode: "p2p",
    media: "audio",
    started_by: "ann",
    started_at: 0,
    answered_at: others.length > 0 ? 0 : null,
  },
  participant_id: me,
  mode: "p2p",
  ice_servers: [],
  participants: [...others, me].map((id) => participant(id)),
});

const tell = (event: CallEvent) => wire.listeners.forEach((listener) => listener(event));
const arrives = (id: string) =>
  tell({ name: "call.participant.joined", payload: { call_id: "call", participant: participant(id) } });

const released = vi.fn();
const begin = async (me: string, others: string[], callId?: string, on = { microphone: false, camera: false }) => {
  wire.answer = (name) =>
    Promise.resolve(name === "call.start" || name === "call.join" ? joined(me, others) : { ok: true });
  const session = new CallSession({
    roomId: "room",
    media: "audio",
    ...on,
    release: released,
    ...(callId === undefined ? {} : { callId }),
  });
  const started = session.start();
  if (!on.microphone && !on.camera) await started;
  return session;
};

beforeEach(() => {
  vi.useFakeTimers();
  released.mockClear();
});
afterEach(() => {
  vi.useRealTimers();
  wire.listeners.clear();
  wire.sent.length = 0;
  wire.links.length = 0;
  desk.setState({ active: undefined });
});

describe("a call", () => {
  it("rings until somebody comes, to whom the caller is impolite", async () => {
    await begin("p1", []);
    expect(desk.getState().active).toMatchObject({ callId: "call", ringing: true });
    expect(wire.links).toEqual([]);
    arrives("p2");
    expect(desk.getState().active?.ringing).toBe(false);
    expect(wire.links).toMatchObject([{ polite: false }]);
  });

  it("is answered politely, and hands on the other's signals alone", async () => {
    await begin("p2", ["p1"], "call");
    const description = { type: "offer", sdp: "v=0" } as const;
    tell({ name: "call.signal", payload: { call_id: "call", from: "p1", description } });
    tell({ name: "call.signal", payload: { call_id: "call", from: "somebody else", description } });
    tell({ name: "call.signal", payload: { call_id: "another", from: "p1", description } });
    expect(wire.links).toMatchObject([{ polite: true, received: [{ description }] }]);
  });

  it("loses nothing that is told before its answer", async () => {
    const started = begin("p1", []);
    arrives("p2");
    await started;
    expect(wire.links).toHaveLength(1);
  });

  it("goes on as the same participant after a reconnect, and starts ICE anew", async () => {
    const session = await begin("p2", ["p1"], "call");
    wire.sent.length = 0;
    await session.resume();
    expect(wire.sent[0]).toEqual(["call.join", { call_id: "call", participant_id: "p2" }]);
    expect(wire.links).toMatchObject([{ restarts: 1, closed: false }]);
  });

  it("connects anew when the server gave it another participant id", async () => {
    const session = await begin("p2", ["p1"], "call");
    wire.answer = () => Promise.resolve(joined("p3", ["p1"]));
    await session.resume();
    expect(wire.links).toMatchObject([{ closed: true }, { closed: false }]);
  });

  it("starts ICE anew when the other one is back", async () => {
    await begin("p2", ["p1"], "call");
    for (const state of ["reconnecting", "connected"] as const) {
      const payload = { call_id: "call", participant: participant("p1", { state }) };
      tell({ name: "call.participant.updated", payload });
    }
    expect(wire.links).toMatchObject([{ restarts: 1 }]);
  });

  it("ends with the server's reason, once, and is forgotten after a moment", async () => {
    const session = await begin("p2", ["p1"], "call");
    const payload = { call_id: "call", room_id: "room", reason: "hangup", duration_ms: 1, missed: false } as const;
    tell({ name: "call.ended", payload });
    session.leave();
    expect(desk.getState().active?.ended).toBe("hangup");
    expect([released.mock.calls.length, wire.links[0]?.closed, wire.listeners.size]).toEqual([1, true, 0]);
    expect(wire.sent.map(([name]) => name)).not.toContain("call.leave");
    vi.advanceTimersByTime(10_000);
    expect(desk.getState().active).toBeUndefined();
  });

  it("is not left later for having been left before", async () => {
    const session = await begin("p2", ["p1"], "call");
    wire.answer = () => Promise.reject(new Error("no answer"));
    session.leave();
    await begin("p3", ["p1"], "call");
    wire.sent.length = 0;
    tellFarewells();
    expect(wire.sent).toEqual([]);
  });

  it("leaves when the page goes away", async () => {
    await begin("p2", ["p1"], "call");
    window.dispatchEvent(new Event("pagehide"));
    expect(wire.sent.at(-1)).toEqual(["call.leave", { call_id: "call" }]);
  });
});

describe("devices that take their time to open", () => {
  const opened = (source: string) => {
    const track = Object.assign(new EventTarget(), { enabled: true, stop: vi.fn() });
    wire.devices.get(source)?.give(track);
    return track;
  };
  const refused = (source: string) => wire.devices.get(source)?.refuse();
  const settled = () => vi.advanceTimersByTimeAsync(0);
  const sending = () => desk.getState().active?.sending;
  const told = () => wire.sent.findLast(([name]) => name === "call.mute")?.[1];
  const both = { microphone: true, camera: true };

  it("are as silent and dark as one wanted meanwhile", async () => {
    const session = await begin("p2", ["p1"], "call", both);
    await settled();
    await session.toggle("microphone");
    await session.toggle("camera");
    const [microphone, camera] = [opened("microphone"), opened("camera")];
    await settled();
    expect(microphone.enabled).toBe(false);
    expect(camera.stop).toHaveBeenCalledOnce();
    expect(desk.getState().active?.own.camera).toBeUndefined();
    expect(sending()).toMatchObject({ microphone: false, camera: false });
    expect(told()).toMatchObject({ audio: false, video: false });
  });

  it("are on when one changed one's mind twice, asked for once", async () => {
    const session = await begin("p2", ["p1"], "call", both);
    await settled();
    const question = wire.devices.get("microphone");
    await session.toggle("microphone");
    await session.toggle("microphone");
    expect(wire.devices.get("microphone")).toBe(question);
    const microphone = opened("microphone");
    opened("camera");
    await settled();
    expect([microphone.enabled, sending()]).toMatchObject([true, both]);
    expect(told()).toMatchObject({ audio: true, video: true });
  });

  it("are shown as off when they were refused, and silent when another is chosen then", async () => {
    const session = await begin("p2", ["p1"], "call", both);
    await settled();
    refused("microphone");
    refused("camera");
    await settled();
    expect(sending()).toMatchObject({ microphone: false, camera: false });
    void session.reopen("microphone");
    await settled();
    const microphone = opened("microphone");
    await settled();
    expect([microphone.enabled, sending()?.microphone]).toEqual([false, false]);
  });
});
