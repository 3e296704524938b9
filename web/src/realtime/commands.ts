/**
 * What the user does. Messages, edits, deletions, reactions and pins go through the outbox: shown at once, on the device before they
 * are sent, sent until the server has them. What is returned resolves with the command's client id when it cannot be lost any more.
 *
 * Messages are named by the `id` that the timeline shows, also while it is not the server's yet.
 */

import type { CallEvent } from "./calls";
import type { ClientEvents, NotificationLevel, Profile, RoomEvent } from "./schema.gen";
import { client, clientIfAny, stores } from "./session";
import type { RoomState } from "./types";

/** ms that a deletion can be taken back. */
const UNDO_MS = 6_000;

export function sendMessage(roomId: string, text: string, { replyTo }: { replyTo?: string } = {}): Promise<string> {
  const opened = client();
  const reply = replyTo === undefined ? {} : { replyTo: opened.outbox.refTo(roomId, replyTo) };
  return opened.command(roomId, { kind: "message.send", text, ...reply });
}

export function editMessage(roomId: string, messageId: string, text: string): Promise<string> {
  const target = client().outbox.refTo(roomId, messageId);
  return client().command(roomId, { kind: "message.edit", target, text });
}

/** Shown at once, and sent some seconds later or when the page is left: until then `discardCommand` takes it back. */
export function deleteMessage(roomId: string, messageId: string): Promise<string> {
  return act("message.delete", roomId, messageId, UNDO_MS);
}

export function pinMessage(roomId: string, messageId: string): Promise<string> {
  return act("message.pin", roomId, messageId);
}

export function unpinMessage(roomId: string, messageId: string): Promise<string> {
  return act("message.unpin", roomId, messageId);
}

export function addReaction(roomId: string, messageId: string, emoji: string): Promise<string> {
  return react("reaction.add", roomId, messageId, emoji);
}

export function removeReaction(roomId: string, messageId: string, emoji: string): Promise<string> {
  return react("reaction.remove", roomId, messageId, emoji);
}

/** Send a failed command once more. */
export function retryCommand(clientId: string): Promise<void> {
  return client().outbox.retry(clientId);
}

/** Give a failed or waiting command up. One that is on its way may arrive all the same. */
export function discardCommand(clientId: string): Promise<void> {
  return client().outbox.discard(clientId);
}

/** Send another text in place of one that failed. */
export function editFailed(clientId: string, text: string): Promise<void> {
  return client().outbox.edit(clientId, text);
}

/** The user has read a room up to `seq`; takes a mark of `markUnread` away. */
export function markRead(roomId: string, seq: number): void {
  clientIfAny()?.reading.markRead(roomId, seq);
}

/** Somebody looks at the end of this room from now on: what comes there is read at once. Undefined: at none. */
export function attend(roomId: string | undefined): void {
  clientIfAny()?.reading.attend(roomId);
}

/** Show a room as unread from `seq` on, in this browser, until `markRead`. */
export function markUnread(roomId: string, seq: number): void {
  clientIfAny()?.reading.markUnread(roomId, seq);
}

/** The user types, or stopped; call it with each key, it is told every 3 s. */
export function setTyping(roomId: string, on: boolean): void {
  clientIfAny()?.setTyping(roomId, on);
}

/** Keep an unsent text; an empty one removes it. */
export function saveDraft(roomId: string, text: string): void {
  clientIfAny()?.drafts.write(roomId, text);
}

/** Keep on the device at once what it has not stored of unsent texts: the page is being left. */
export function keepDrafts(): void {
  clientIfAny()?.drafts.keep();
}

/** @throws {ApiError} the server has not taken it, and it is what it was */
export function setNotificationLevel(roomId: string, level: NotificationLevel): Promise<void> {
  return client().setLevel(roomId, level);
}

/** Take profiles that another request has brought, so that nobody fetches them again. */
export function knowProfiles(profiles: readonly Profile[]): void {
  clientIfAny()?.people.know(profiles);
}

/** What was last known of a user; for code that is no component. */
export function profileOf(userId: string): Profile | undefined {
  return stores.people.getState().profiles.get(userId);
}

/** What a room was when the screen was last brought up to date; for code that is no component. */
export function roomOf(roomId: string): RoomState | undefined {
  return stores.rooms.getState().rooms.get(roomId);
}

/** Hear of every event of the user's rooms, live or caught up on; one may come twice. Returns how to stop. */
export function onRoomEvent(listener: (event: RoomEvent) => void): () => void {
  const { roomListeners } = client();
  roomListeners.add(listener);
  return () => {
    roomListeners.delete(listener);
  };
}

/** Hear what the server says of calls. Returns how to stop. */
export function onCallEvent(listener: (event: CallEvent) => void): () => void {
  return client().calls.listen(listener);
}

/**
 * Say something of a call, and wait for the answer.
 *
 * @throws {CommandRefused} the server said no
 * @throws {NoAnswer} offline, or cut off
 */
export function emitCall<Name extends keyof ClientEvents & `call.${string}`>(
  name: Name,
  payload: ClientEvents[Name]["payload"],
): Promise<ClientEvents[Name]["answer"]> {
  return client().link.request(name, payload);
}

function act(
  kind: "message.delete" | "message.pin" | "message.unpin",
  roomId: string,
  id: string,
  hold = 0,
): Promise<string> {
  return client().command(roomId, { kind, target: client().outbox.refTo(roomId, id) }, hold);
}

function react(kind: "reaction.add" | "reaction.remove", roomId: string, id: string, emoji: string): Promise<string> {
  return client().command(roomId, { kind, target: client().outbox.refTo(roomId, id), emoji });
}
