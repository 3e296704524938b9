/** The shapes that the data layer shows to the rest of the client. What the server says is in schema.gen.ts. */

import type {
  CallEndedEvent,
  CallStartedEvent,
  ErrorBody,
  MemberJoinedEvent,
  MemberLeftEvent,
  Message,
  NotificationLevel,
  Profile,
  RoomKind,
  RoomUpdatedEvent,
  User,
} from "./schema.gen";

/** Who is signed in on this device. */
export interface Session {
  user: User;
  /** Empty until the server has been reached once. */
  sessionId: string;
}

export type ConnectionStatus =
  | "connecting" // the first attempt of this page
  | "online"
  | "reconnecting" // lost, and being tried again
  | "offline" // the device has no network; tried again rarely, and at once when it has
  | "draining" // the server restarts and said so; tried again in a moment
  | "displaced" // too many newer sockets of this user: only `reconnect()` brings it back
  | "signed-out";

export interface Connection {
  status: ConnectionStatus;
  /** Wall time, in ms, of the next attempt. */
  retryAt?: number;
  transport?: "websocket" | "polling";
  /** False where the browser keeps nothing: what is not sent is lost with the page. */
  durable?: false;
}

/** What a room is, and what its member is in it: seldom changed. */
export interface RoomIdentity {
  id: string;
  /** Empty in a direct room: show `peer`. */
  name: string;
  kind: RoomKind;
  topic: string;
  peer?: Profile;
  role: string;
  level: NotificationLevel;
}

/** A room as its member sees it. `unread` counts what others wrote since `read`, as far as this device can tell. */
export interface RoomState extends RoomIdentity {
  head: number;
  read: number;
  unread: number;
  mentions: number;
  /** When something last happened there, in ms. */
  lastAt: number;
  /** An unsent text, of this or another device. */
  draft?: string;
}

/** A room as lists show it; `lastAt` is kept up to date for direct rooms, which are ordered by it. */
export type ListedRoom = Omit<RoomState, "head" | "read">;

/** `cached`: as this device last saw them, not confirmed by the server yet. */
export type RoomsStatus = "cached" | "loading" | "ready" | "error";

export type CommandKind =
  | "message.send"
  | "message.edit"
  | "message.delete"
  | "message.pin"
  | "message.unpin"
  | "reaction.add"
  | "reaction.remove";

/**
 * A message with what this device has done to it and the server has not confirmed yet.
 *
 * `clientId` names the command that `state` is about, for `retryCommand`, `discardCommand` and `editFailed`: that of the message
 * itself while it is sent, or of a later edit, deletion or pin (`command` says which). `id` is the client id and `seq` 0 while the
 * server has not placed it.
 */
export interface TimelineMessage extends Message {
  type: "message";
  /** The same before and after the server has placed it: for React. */
  key: string;
  state: "sent" | "pending" | "failed";
  clientId: string;
  command?: CommandKind;
  error?: ErrorBody;
  /** The command was never sent: `discardCommand` leaves nothing of it. */
  recallable?: true;
}

/** What the user wrote to a room, or changed a message to, and the server has not taken; `clientId` as in `TimelineMessage`. */
export interface UnsentText {
  clientId: string;
  at: number;
  text: string;
  failed: boolean;
}

/** What happened in the room besides messages. */
export interface TimelineNotice {
  type: "notice";
  key: string;
  seq: number;
  at: number;
  event: MemberJoinedEvent | MemberLeftEvent | RoomUpdatedEvent | CallStartedEvent | CallEndedEvent;
}

export type TimelineItem = TimelineMessage | TimelineNotice;

export type TimelineStatus = "loading" | "ready" | "error" | "offline-empty";

/** A contiguous part of a room: `items` in the order of the log, those that are not in it yet last. */
export interface Timeline {
  items: readonly TimelineItem[];
  messages: readonly TimelineMessage[];
  hasOlder: boolean;
  hasNewer: boolean;
  status: TimelineStatus;
  /** Ask for the messages before these, or after; more than one call at a time is one request. */
  loadOlder: () => Promise<void>;
  loadNewer: () => Promise<void>;
  /** Show the part around a message; resolves with its seq, or undefined where the room has no such message. */
  jumpTo: (target: number | string) => Promise<number | undefined>;
  jumpToLatest: () => Promise<void>;
}

export type Presence = "online" | "idle" | "offline";

/** A command that the server will never take, and that shows on no message. */
export interface RefusedCommand {
  roomId: string;
  clientId: string;
  kind: CommandKind;
  error: ErrorBody;
}
