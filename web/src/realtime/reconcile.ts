/**
 * The message view as a pure fold of the room log: the twin of src/parlour/chat/fold.py, whose rules stand there.
 *
 * Both run tests/cases/fold.json. What is at its default is left out of a message, as on the wire.
 */

import type { Message, MessageCreatedEvent, ReactionAddedEvent, ReactionRemovedEvent, RoomEvent } from "./schema.gen";

/** Messages as they were at `head`, ascending by seq. A message may be newer than `head`: its `version` says how far it is. */
export interface RoomView {
  readonly head: number;
  readonly messages: readonly Message[];
}

/** The view after `event`; events come in the order of seq, repeats of earlier ones are harmless. */
export function apply(view: RoomView, event: RoomEvent): RoomView {
  if (event.seq <= view.head) return view;
  if (event.type === "message.created") {
    return { head: event.seq, messages: withMessage(view.messages, created(event)) };
  }
  return { head: event.seq, messages: applyToMessages(view.messages, event) };
}

/** The same messages after an event that begins none; the very same array where it changes nothing. */
export function applyToMessages(messages: readonly Message[], event: RoomEvent): readonly Message[] {
  const target = "message_id" in event.data ? event.data.message_id : undefined;
  const index = target === undefined ? -1 : messages.findLastIndex((each) => each.id === target);
  const before = messages[index];
  if (before === undefined) return messages;
  const after = applyToMessage(before, event);
  return after === before ? messages : messages.with(index, after);
}

/** A message after `event`; the very same object where the event changes nothing. */
export function applyToMessage(message: Message, event: RoomEvent): Message {
  const concerns =
    event.room_id === message.room_id && "message_id" in event.data && event.data.message_id === message.id;
  if (!concerns || event.seq <= message.version || message.deleted_at !== undefined) return message;
  const changed = change(message, event);
  return changed === message ? message : { ...changed, version: event.seq };
}

/** Where a message of `seq` stands in messages that ascend by seq, or would stand. */
export function placeOf(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function withMessage(messages: readonly Message[], message: Message): readonly Message[] {
  const place = placeOf(messages, message.seq);
  return messages[place]?.seq === message.seq ? messages : messages.toSpliced(place, 0, message);
}

function change(message: Message, event: RoomEvent): Message {
  switch (event.type) {
    case "message.edited": {
      if (event.sender_id !== message.sender_id) return message;
      const { text = "", mentions, mentions_room } = event.data;
      const edited: Message = { ...message, text, edited_at: event.at };
      delete edited.mentions;
      delete edited.mentions_room;
      if (mentions !== undefined && mentions.length > 0) edited.mentions = mentions;
      if (mentions_room === true) edited.mentions_room = true;
      return edited;
    }
    case "message.deleted": {
      const deleted: Message = { ...message, text: "", deleted_at: event.at };
      delete deleted.mentions;
      delete deleted.mentions_room;
      delete deleted.reactions;
      delete deleted.pinned_at;
      delete deleted.pinned_by;
      return deleted;
    }
    case "reaction.added":
    case "reaction.removed":
      return react(message, event);
    case "message.pinned":
      if (message.pinned_at !== undefined) return message;
      return { ...message, pinned_at: event.at, pinned_by: event.sender_id };
    case "message.unpinned": {
      if (message.pinned_at === undefined) return message;
      const unpinned: Message = { ...message };
      delete unpinned.pinned_at;
      delete unpinned.pinned_by;
      return unpinned;
    }
    default:
      return message;
  }
}

function created(event: MessageCreatedEvent): Message {
  const { text = "", reply_to, mentions, mentions_room } = event.data;
  const message: Message = {
    id: event.id,
    room_id: event.room_id,
    seq: event.seq,
    sender_id: event.sender_id,
    client_id: event.client_id,
    at: event.at,
    text,
    version: event.seq,
  };
  if (reply_to !== undefined) message.reply_to = reply_to;
  if (mentions !== undefined && mentions.length > 0) message.mentions = mentions;
  if (mentions_room === true) message.mentions_room = true;
  return message;
}

function react(message: Message, event: ReactionAddedEvent | ReactionRemovedEvent): Message {
  const { emoji } = event.data;
  const users = message.reactions?.[emoji] ?? [];
  const adding = event.type === "reaction.added";
  if (adding === users.includes(event.sender_id)) return message;
  const now = adding ? [...users, event.sender_id] : users.filter((each) => each !== event.sender_id);
  const reactions: Record<string, string[]> = {};
  for (const [each, by] of Object.entries(message.reactions ?? {})) {
    if (each !== emoji) reactions[each] = by;
    else if (now.length > 0) reactions[each] = now;
  }
  if (!(emoji in reactions) && now.length > 0) reactions[emoji] = now;
  const reacted: Message = { ...message, reactions };
  if (Object.keys(reactions).length === 0) delete reacted.reactions;
  return reacted;
}
