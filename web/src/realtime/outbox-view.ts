/** A room's messages with what the user has done to them and the server has not confirmed yet. Pure. */

import { isRecallable, isSilent, type Entries, type MessageRef, type OutboxEntry } from "./outbox-rules";
import type { Message } from "./schema.gen";
import type { TimelineMessage, UnsentText } from "./types";

const plain = new WeakMap<Message, TimelineMessage>();

/** A message as the log has it; the same object for the same message, so that its row is not drawn again. */
export function asSent(message: Message): TimelineMessage {
  let shown = plain.get(message);
  if (shown === undefined) {
    shown = { ...message, type: "message", key: keyOf(message), state: "sent", clientId: message.client_id };
    plain.set(message, shown);
  }
  return shown;
}

/**
 * The messages as they are to be shown: changes at once, new ones at the end.
 *
 * @param live whether the messages reach the end of the room: only there do new ones belong
 */
export function overlaid(messages: readonly Message[], entries: Entries, me: string, live: boolean): TimelineMessage[] {
  const shown = messages.map(asSent);
  for (const entry of entries) {
    if (entry.command.kind === "message.send") {
      const arrived = shown.some((each) => each.sender_id === me && each.client_id === entry.clientId);
      if (live && !arrived) shown.push(pending(entry, entry.command.text, entry.command.replyTo, me));
      continue;
    }
    const { target } = entry.command;
    const index = shown.findLastIndex((each) => isTarget(each, target, me));
    const before = shown[index];
    if (before !== undefined) shown[index] = changed(before, entry, me);
  }
  return shown;
}

/** The texts of a room that the server has not taken, for where no timeline shows them. */
export function unsentTexts(entries: Entries): UnsentText[] {
  return entries.flatMap(({ clientId, at, command, state }) =>
    "text" in command && state !== "placed" ? [{ clientId, at, text: command.text, failed: state === "failed" }] : [],
  );
}

function keyOf({ sender_id, client_id }: Pick<Message, "sender_id" | "client_id">): string {
  return `${sender_id} ${client_id}`;
}

function isTarget(message: TimelineMessage, target: MessageRef, me: string): boolean {
  if ("id" in target) return message.id === target.id;
  return message.sender_id === me && message.client_id === target.clientId;
}

function pending(entry: OutboxEntry, text: string, replyTo: MessageRef | undefined, me: string): TimelineMessage {
  const { clientId, roomId, placed, state, error } = entry;
  const message: TimelineMessage = {
    type: "message",
    key: keyOf({ sender_id: me, client_id: clientId }),
    id: placed?.id ?? clientId,
    room_id: roomId,
    seq: placed?.seq ?? 0,
    sender_id: me,
    client_id: clientId,
    at: placed?.at ?? entry.at,
    text,
    version: placed?.seq ?? 0,
    state: placed === undefined ? (state === "failed" ? "failed" : "pending") : "sent",
    clientId,
  };
  if (replyTo !== undefined) message.reply_to = "id" in replyTo ? replyTo.id : replyTo.clientId;
  if (error !== undefined) message.error = error;
  if (isRecallable(entry)) message.recallable = true;
  return message;
}

function changed(message: TimelineMessage, entry: OutboxEntry, me: string): TimelineMessage {
  const after = effect(message, entry, me);
  if (entry.state === "placed" || isSilent(entry.command.kind)) return after;
  // What failed before is to be seen to first, unless the message is on its way out, which may be regretted.
  if (message.state === "failed" && entry.command.kind !== "message.delete") return { ...after, state: "failed" };
  const marked: TimelineMessage = {
    ...after,
    state: entry.state === "failed" ? "failed" : "pending",
    clientId: entry.clientId,
    command: entry.command.kind,
  };
  delete marked.recallable;
  if (isRecallable(entry)) marked.recallable = true;
  if (entry.error !== undefined) marked.error = entry.error;
  return marked;
}

/** What a command makes of a message; one that failed makes nothing of it, but for an edit, whose text is the user's to keep. */
function effect(message: TimelineMessage, { command, state, at }: OutboxEntry, me: string): TimelineMessage {
  if (state === "failed" && command.kind !== "message.edit") return message;
  const after: TimelineMessage = { ...message };
  switch (command.kind) {
    case "message.send":
      break;
    case "message.edit":
      after.text = command.text;
      after.edited_at = at;
      break;
    case "message.delete":
      after.text = "";
      after.deleted_at = at;
      delete after.reactions;
      break;
    case "message.pin":
      after.pinned_at ??= at;
      after.pinned_by ??= me;
      break;
    case "message.unpin":
      delete after.pinned_at;
      delete after.pinned_by;
      break;
    case "reaction.add":
    case "reaction.remove": {
      const others = (after.reactions?.[command.emoji] ?? []).filter((each) => each !== me);
      const users = command.kind === "reaction.add" ? [...others, me] : others;
      const entries = Object.entries({ ...after.reactions, [command.emoji]: users });
      after.reactions = Object.fromEntries(entries.filter(([, by]) => by.length > 0));
      break;
    }
  }
  return after;
}
