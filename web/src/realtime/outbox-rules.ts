/**
 * What the outbox does with the commands of one room: pure functions from its entries, in order, to the next.
 *
 * An entry waits until the server has acknowledged it or refused it for good. Acknowledged, it stays until its event has been seen, so
 * that it never vanishes from the screen between the two. Entries of a room are sent one after the other, each when the one before has
 * been acknowledged: pipelined, a second one could overtake a first that was told to wait. What was refused for good stands aside and
 * holds up only what builds on it; what is held for the user to take back, only what else is to be done to its message.
 */

import { errorStatus, type ErrorBody, type Placed } from "./schema.gen";
import type { CommandKind } from "./types";

/** A message by its id, or by the client id of the command that makes it while it has no id. */
export type MessageRef = { id: string } | { clientId: string };

export type Command =
  | { kind: "message.send"; text: string; replyTo?: MessageRef }
  | { kind: "message.edit"; target: MessageRef; text: string }
  | { kind: "message.delete" | "message.pin" | "message.unpin"; target: MessageRef }
  | { kind: "reaction.add" | "reaction.remove"; target: MessageRef; emoji: string };

export interface OutboxEntry {
  /** The place among all entries of this device; 0 until the store has given it one. */
  order: number;
  clientId: string;
  roomId: string;
  /** When the user did it, in ms. */
  at: number;
  command: Command;
  /** When it may be sent, in ms: until then the user can take it back. */
  notBefore?: number;
  /** Times that it was, or may have been, sent. */
  attempts: number;
  state: "waiting" | "failed" | "placed";
  error?: ErrorBody;
  placed?: Place;
}

/** Where a command's event is in the log. */
export interface Place {
  id: string;
  seq: number;
  at: number;
}

/** An entry that the store has no more: with its place where its event was seen, without where it was given up. */
export interface Removal {
  clientId: string;
  placed?: Place;
}

export type Entries = readonly OutboxEntry[];

/** Refusals of one command after which the server's own trouble is taken to be the command's. */
const MAX_REFUSALS = 5;

/**
 * Whether repeating a command cannot succeed: the server understood it and said no.
 *
 * What says when to come back, what is the server's own trouble and what concerns the session and not the command is worth repeating;
 * so is a code that a newer server has and this client does not know, for a while. `refusals` counts this one too.
 */
export function isPermanent(error: ErrorBody, refusals: number): boolean {
  if (error.retry_after !== undefined) return false;
  const status = error.code in errorStatus ? errorStatus[error.code as keyof typeof errorStatus] : 500;
  if (status === 401 || status === 429 || status === 503) return false;
  return status < 500 || refusals >= MAX_REFUSALS;
}

/** The entries with a new command at the end, or folded into what was never sent. */
export function added(entries: Entries, entry: OutboxEntry): Entries {
  const { command } = entry;
  if ("target" in command && "clientId" in command.target) {
    const made = find(entries, command.target.clientId);
    if (made?.command.kind === "message.send" && made.attempts === 0 && made.state !== "placed") {
      if (command.kind === "message.edit") return edited(entries, made.clientId, command.text);
      if (command.kind === "message.delete") return discarded(entries, made.clientId);
    }
  }
  return [...entries, { ...entry, command: resolved(entries, command) }];
}

/** The first entry to be sent at `now`; undefined where all wait for something. */
export function next(entries: Entries, now: number): OutboxEntry | undefined {
  const held = new Set<string>();
  return entries.find(({ state, command, ...entry }) => {
    if (state !== "waiting") return false;
    const target = "target" in command ? JSON.stringify(command.target) : undefined;
    if (target !== undefined && (held.has(target) || isHeld(entry, now))) {
      held.add(target);
      return false;
    }
    return refsOf(command).every((ref) => "id" in ref);
  });
}

/** When the first of the held entries may be sent; undefined where none is held. */
export function heldUntil(entries: Entries, now: number): number | undefined {
  const times = entries.flatMap((each) =>
    each.state === "waiting" && isHeld(each, now) ? (each.notBefore ?? []) : [],
  );
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The entries without anything that is held: the page goes, and with it the way to take it back. */
export function released(entries: Entries): Entries {
  return entries.map((entry) => {
    if (entry.notBefore === undefined) return entry;
    const now = { ...entry };
    delete now.notBefore;
    return now;
  });
}

/** What the clock was set back for is held no longer. */
function isHeld({ at, notBefore }: Pick<OutboxEntry, "at" | "notBefore">, now: number): boolean {
  return notBefore !== undefined && at <= now && now < notBefore;
}

/** Whether giving an entry up leaves nothing of it: it was never sent. */
export function isRecallable({ state, attempts }: OutboxEntry): boolean {
  return state === "waiting" && attempts === 0;
}

/** The entries with one more attempt counted, from before it is made. */
export function attempted(entries: Entries, clientId: string): Entries {
  return replaced(entries, clientId, (entry) => ({ ...entry, attempts: entry.attempts + 1 }));
}

/** The entries after an acknowledgement. */
export function acknowledged(entries: Entries, clientId: string, { id, seq, at }: Omit<Placed, "ok">): Entries {
  const after = replaced(entries, clientId, (entry) => {
    const acked: OutboxEntry = { ...entry, state: "placed", placed: { id, seq, at } };
    delete acked.error;
    return acked;
  });
  return resolvedAll(after, clientId, id);
}

/** The entries once events of the user's own have been seen: they are done, acknowledged or not. */
export function seen(entries: Entries, events: ReadonlyMap<string, Place>): Entries {
  let after = entries;
  for (const [clientId, { id }] of events) {
    if (find(after, clientId) !== undefined) after = resolvedAll(without(after, clientId), clientId, id);
  }
  return after;
}

/** The entries without those acknowledged at or below `head`, up to which the room's events are known. */
export function settled(entries: Entries, head: number): Entries {
  const after = entries.filter((each) => each.placed === undefined || each.placed.seq > head);
  return after.length === entries.length ? entries : after;
}

/** What `after` has no more of `before`; `placeOf` knows the places of what was seen. */
export function removals(
  before: Entries,
  after: Entries,
  placeOf: (clientId: string) => Place | undefined,
): readonly Removal[] {
  const kept = new Set(after.map((each) => each.clientId));
  return before
    .filter((each) => !kept.has(each.clientId))
    .map(({ clientId, placed = placeOf(clientId) }) => (placed === undefined ? { clientId } : { clientId, placed }));
}

/** The entries after a refusal that no repeating changes. */
export function refused(entries: Entries, clientId: string, error: ErrorBody): Entries {
  return replaced(entries, clientId, (entry) =>
    entry.state === "waiting" ? { ...entry, state: "failed", error } : entry,
  );
}

/** The entries of a room that the user is no longer in: texts stay, as refused, until the user has seen to them; nothing else does. */
export function stranded(entries: Entries, error: ErrorBody): Entries {
  return entries.flatMap((entry): OutboxEntry[] => {
    if (entry.state === "placed" || !("text" in entry.command)) return [];
    return [entry.state === "failed" ? entry : { ...entry, state: "failed", error }];
  });
}

/** The entries with a failed one to be sent once more, at its place. */
export function retried(entries: Entries, clientId: string): Entries {
  return replaced(entries, clientId, (entry) => {
    if (entry.state !== "failed") return entry;
    const again: OutboxEntry = { ...entry, state: "waiting" };
    delete again.error;
    return again;
  });
}

/** The entries without one that the user gives up, and without what builds on it. */
export function discarded(entries: Entries, clientId: string): Entries {
  const entry = find(entries, clientId);
  if (entry === undefined || entry.state === "placed") return entries;
  if (entry.command.kind !== "message.send") return without(entries, clientId);
  return without(entries, clientId).flatMap((each) => {
    if (!refsOf(each.command).some((ref) => "clientId" in ref && ref.clientId === clientId)) return [each];
    // A reply goes out without what it replied to; what was to be done to the message has no purpose any more.
    if (each.command.kind !== "message.send") return [];
    const command: Command = { ...each.command };
    delete command.replyTo;
    return [{ ...each, command }];
  });
}

/** The entries with another text for one that was never sent, or failed. A failed one becomes a new command: `freshId`. */
export function edited(entries: Entries, clientId: string, text: string, freshId?: string): Entries {
  const entry = find(entries, clientId);
  if (entry === undefined || !("text" in entry.command)) return entries;
  if (entry.attempts > 0 && entry.state !== "failed") return entries;
  // The server answers a repeated client id with what the first try carried, and that may have arrived after all.
  const renamed = entry.attempts > 0 && freshId !== undefined ? freshId : clientId;
  const changed = replaced(entries, clientId, (each) => {
    const again: OutboxEntry = {
      ...each,
      clientId: renamed,
      command: { ...entry.command, text } as Command,
      state: "waiting",
      attempts: 0,
    };
    delete again.error;
    return again;
  });
  return changed.map((each) => ({
    ...each,
    command: mapRefs(each.command, (ref) => (isRef(ref, clientId) ? { clientId: renamed } : ref)),
  }));
}

/** The entries with the ids of messages that were placed meanwhile, as far as `idOf` knows them by their client ids. */
export function identified(entries: Entries, idOf: (clientId: string) => string | undefined): Entries {
  const identify = (ref: MessageRef): MessageRef => {
    const id = "clientId" in ref ? idOf(ref.clientId) : undefined;
    return id === undefined ? ref : { id };
  };
  const after = entries.map((each) => {
    const changes = refsOf(each.command).some((ref) => identify(ref) !== ref);
    return changes ? { ...each, command: mapRefs(each.command, identify) } : each;
  });
  return after.some((each, index) => each !== entries[index]) ? after : entries;
}

/** Whether an entry is that of a command, or builds on it. */
export function concerns(entry: OutboxEntry, clientIds: ReadonlyMap<string, unknown>): boolean {
  if (clientIds.has(entry.clientId)) return true;
  return refsOf(entry.command).some((ref) => "clientId" in ref && clientIds.has(ref.clientId));
}

/** The kind of a command's entry that shows on no message when it fails. */
export function isSilent(kind: CommandKind): boolean {
  return kind === "reaction.add" || kind === "reaction.remove";
}

function find(entries: Entries, clientId: string): OutboxEntry | undefined {
  return entries.find((each) => each.clientId === clientId);
}

function without(entries: Entries, clientId: string): Entries {
  return entries.filter((each) => each.clientId !== clientId);
}

function replaced(entries: Entries, clientId: string, change: (entry: OutboxEntry) => OutboxEntry): Entries {
  return entries.map((each) => (each.clientId === clientId ? change(each) : each));
}

function isRef(ref: MessageRef, clientId: string): boolean {
  return "clientId" in ref && ref.clientId === clientId;
}

function refsOf(command: Command): MessageRef[] {
  if (command.kind === "message.send") return command.replyTo === undefined ? [] : [command.replyTo];
  return [command.target];
}

function mapRefs(command: Command, change: (ref: MessageRef) => MessageRef): Command {
  if (command.kind !== "message.send") return { ...command, target: change(command.target) };
  return command.replyTo === undefined ? command : { ...command, replyTo: change(command.replyTo) };
}

/** A new command whose target may have been placed while it was made. */
function resolved(entries: Entries, command: Command): Command {
  return mapRefs(command, (ref) => {
    const placed = "clientId" in ref ? find(entries, ref.clientId)?.placed : undefined;
    return placed === undefined ? ref : { id: placed.id };
  });
}

function resolvedAll(entries: Entries, clientId: string, id: string): Entries {
  return entries.map((each) => {
    if (!refsOf(each.command).some((ref) => isRef(ref, clientId))) return each;
    return { ...each, command: mapRefs(each.command, (ref) => (isRef(ref, clientId) ? { id } : ref)) };
  });
}
