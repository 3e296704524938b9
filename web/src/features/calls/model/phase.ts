/** What a call is at, for the person in it. Pure. */

import type { ActiveCall } from "./desk";

/**
 * `starting`: not let in yet; `ringing`: at the others; `waiting`: alone; `connecting`: somebody is there, the media are not;
 * `reconnecting`: one of the two has lost its connection; `ended`: and shown a moment longer.
 */
export type Phase = "starting" | "ringing" | "waiting" | "connecting" | "connected" | "reconnecting" | "ended";

export function phaseOf({ ended, callId, ringing, others, link }: ActiveCall): Phase {
  if (ended !== undefined) return "ended";
  if (callId === undefined) return "starting";
  const [other] = others;
  if (other === undefined) return ringing ? "ringing" : "waiting";
  // Media that flow are worth more than what the server thinks of a socket.
  if (link === "connected") return "connected";
  if (link === "interrupted" || other.state === "reconnecting") return "reconnecting";
  return "connecting";
}
