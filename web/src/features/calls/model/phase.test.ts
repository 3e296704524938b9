import { expect, it } from "vitest";
import type { ParticipantView } from "@/realtime";
import type { ActiveCall } from "./desk";
import { phaseOf, type Phase } from "./phase";

const other: ParticipantView = {
  id: "p2",
  user_id: "ben",
  state: "connected",
  joined_at: 0,
  audio: true,
  video: true,
  screen: false,
};
const away: ParticipantView = { ...other, state: "reconnecting" };
const before: ActiveCall = {
  roomId: "room",
  media: "video",
  others: [],
  ringing: true,
  own: {},
  sending: { microphone: true, camera: true, screen: false },
  problems: {},
  view: "full",
};
const inside: ActiveCall = { ...before, callId: "call" };

it.each<[Phase, ActiveCall]>([
  ["starting", before],
  ["ringing", inside],
  ["waiting", { ...inside, ringing: false }],
  ["connecting", { ...inside, others: [other] }],
  ["connected", { ...inside, others: [other], link: "connected" }],
  ["connected", { ...inside, others: [away], link: "connected" }],
  ["reconnecting", { ...inside, others: [other], link: "interrupted" }],
  ["reconnecting", { ...inside, others: [away], link: "connecting" }],
  ["ended", { ...inside, ended: "hangup" }],
])("is %s", (phase, call) => {
  expect(phaseOf(call)).toBe(phase);
});
