/**
 * Deletions that can still be taken back: a message looks deleted at once, and the command is sent some seconds later, or when the
 * page is left. Whoever regrets it in time has sent nothing.
 */

import { createStore, useStore } from "zustand";
import { deleteMessage } from "@/realtime";

export const UNDO_MS = 6_000;

interface Held {
  roomId: string;
  timer: ReturnType<typeof setTimeout>;
}

const store = createStore<ReadonlyMap<string, Held>>(() => new Map());

export function holdDeletion(roomId: string, messageId: string): void {
  undoDeletion(messageId);
  const timer = setTimeout(() => send(messageId), UNDO_MS);
  store.setState(new Map(store.getState()).set(messageId, { roomId, timer }), true);
}

export function undoDeletion(messageId: string): void {
  take(messageId);
}

/** Send what is held. */
export function sendHeldDeletions(): void {
  for (const messageId of store.getState().keys()) send(messageId);
}

export function useIsDeletionHeld(messageId: string): boolean {
  return useStore(store, (held) => held.has(messageId));
}

function take(messageId: string): Held | undefined {
  const held = new Map(store.getState());
  const one = held.get(messageId);
  if (one === undefined) return undefined;
  clearTimeout(one.timer);
  held.delete(messageId);
  store.setState(held, true);
  return one;
}

function send(messageId: string): void {
  const one = take(messageId);
  if (one !== undefined) void deleteMessage(one.roomId, messageId);
}

window.addEventListener("pagehide", sendHeldDeletions);
