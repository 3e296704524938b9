/** What this tab knows of calls: small, because it is there from the start. What makes a call is loaded with the first one. */

import { createStore, useStore } from "zustand";
import type { Line, LinkState, MediaProblem, Quality } from "@/media";
import type { CallEndReason, CallLeaveReason, CallMedia, CallView, ParticipantView } from "@/realtime";

/** `full` and `already` are refusals of the server; `unreachable`: it did not answer; `failed`: any other refusal. */
export type CallEnd =
  CallEndReason | CallLeaveReason | "full" | "already" | "nobody" | "forbidden" | "unreachable" | "failed";

/** Sources that this side may send. */
export interface Sending {
  microphone: boolean;
  camera: boolean;
  screen: boolean;
}

/** The call that this tab takes part in, or that has just ended. */
export interface ActiveCall {
  roomId: string;
  media: CallMedia;
  /** Set once the server has let this side in. */
  callId?: string;
  me?: string;
  others: readonly ParticipantView[];
  /** Nobody has answered yet. */
  ringing: boolean;
  /** Wall time of this device, in ms, since which the call counts. */
  since?: number;
  link?: LinkState | undefined;
  /** Own tracks that can be shown. */
  own: Readonly<Partial<Record<Line, MediaStreamTrack | undefined>>>;
  remote?: Readonly<Record<Line, MediaStreamTrack>> | undefined;
  sending: Sending;
  quality?: Quality | undefined;
  problems: Readonly<Partial<Record<keyof Sending, MediaProblem | undefined>>>;
  view: "full" | "mini";
  ended?: CallEnd;
}

/** A call that somebody wants to make or join, for which they look at themselves first. */
export interface Wanted {
  roomId: string;
  media: CallMedia;
  /** See camera and devices before. */
  preview: boolean;
  /** The call that rings and is answered by this. */
  answer?: CallView;
}

interface Desk {
  rings: readonly CallView[];
  wanted?: Wanted | undefined;
  active?: ActiveCall | undefined;
  /** The room of a call in another tab. */
  elsewhere?: string | undefined;
}

export const desk = createStore<Desk>(() => ({ rings: [] }));

export function useDesk<Part>(select: (desk: Desk) => Part): Part {
  return useStore(desk, select);
}

export function want(wanted: Wanted | undefined): void {
  desk.setState({ wanted });
}

export function addRing(call: CallView): void {
  desk.setState(({ rings }) => ({ rings: [...rings.filter(({ id }) => id !== call.id), call] }));
}

export function stopRing(callId: string): void {
  desk.setState(({ rings }) => ({ rings: rings.filter(({ id }) => id !== callId) }));
}

/** Change the active call, if there is one. */
export function updateActive(change: (call: ActiveCall) => Partial<ActiveCall>): void {
  desk.setState(({ active }) => (active === undefined ? {} : { active: { ...active, ...change(active) } }));
}

export function showCall(view: ActiveCall["view"]): void {
  updateActive(() => ({ view }));
}
