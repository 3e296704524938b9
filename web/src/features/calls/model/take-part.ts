/** Beginning a call in this tab, and the session that it has. */

import { claimCall } from "./one-call";
import { CallSession, type CallOptions } from "./call-session";
import { desk, stopRing } from "./desk";

let session: CallSession | undefined;

/** The session of the call that this tab is in, or was in last. */
export function currentCall(): CallSession | undefined {
  return session;
}

/** Start or join a call. Resolves with false where another tab of this person is in one. */
export async function takePart(userId: string, options: Omit<CallOptions, "release">): Promise<boolean> {
  const { active } = desk.getState();
  if (active !== undefined && active.ended === undefined) return false;
  const release = await claimCall(userId, options.roomId);
  if (release === undefined) return false;
  if (options.callId !== undefined) stopRing(options.callId);
  session = new CallSession({ ...options, release });
  await session.start();
  return true;
}
