/** The data layer: what the rest of the client may use of it. */

export type * from "./schema.gen";
export type * from "./types";
export type { CallEvent } from "./calls";
export * from "./commands";
export * from "./hooks";
export {
  accountChanged,
  endSession,
  expectsSession,
  onCommandRefused,
  reconnect,
  resumeSession,
  startSession,
} from "./session";
export { CommandRefused, NoAnswer } from "./socket";
