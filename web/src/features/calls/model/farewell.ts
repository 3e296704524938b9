/** Hanging up and declining, which hold however long the server cannot be told of them. */

import { CommandRefused, emitCall } from "@/realtime";

type Farewell = "call.leave" | "call.decline";

const untold = new Map<string, Farewell>();
const declined = new Set<string>();

/** Leave or decline a call: at once, later where the server cannot do it yet, and where nobody answers once the connection is back. */
export function sayFarewell(name: Farewell, callId: string): void {
  if (name === "call.decline") declined.add(callId);
  untold.set(callId, name);
  tell(name, callId);
}

/** The connection is back: tell what could not be told. */
export function tellFarewells(): void {
  untold.forEach((name, callId) => tell(name, callId));
}

/** Whether this person has declined the call: it is not to ring again because the server learns of it late. */
export function isDeclined(callId: string): boolean {
  return declined.has(callId);
}

/** The call is over, there is nothing more to say of it. */
export function forgetFarewell(callId: string): void {
  untold.delete(callId);
  declined.delete(callId);
}

/** Another person may sign in. */
export function forgetFarewells(): void {
  untold.clear();
  declined.clear();
}

function tell(name: Farewell, callId: string): void {
  const told = () => void untold.delete(callId);
  emitCall(name, { call_id: callId }).then(told, (error: unknown) => {
    if (!(error instanceof CommandRefused)) return;
    const { retry_after } = error.error;
    if (retry_after === undefined)
      told(); // it knows of no such call any more
    else setTimeout(() => untold.get(callId) === name && tell(name, callId), 1_000 * retry_after);
  });
}
