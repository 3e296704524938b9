/** Say something to people who use a screen reader; components/ui/announcer.tsx is the live region. */

import { createStore, useStore } from "zustand";

/** From one text of many to the next: nobody could listen to more, and each is drawn. */
const APART_MS = 1_000;
/** Of what waits, so many of the last are said. */
const MAX_TOGETHER = 3;

const store = createStore<{ text: string; said: number }>(() => ({ text: "", said: 0 }));
let waiting: readonly string[] = [];
let pause: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string): void {
  store.setState(({ said }) => ({ text, said: said + 1 }));
}

/** Say one of what may come many times a second: the first at once, then the last few together, once a second. */
export function announceOneOfMany(text: string): void {
  waiting = [...waiting, text].slice(-MAX_TOGETHER);
  if (pause === undefined) sayWaiting();
}

/** What still waits to be said is of no use any more. */
export function dropWaiting(): void {
  waiting = [];
}

function sayWaiting(): void {
  pause = undefined;
  if (waiting.length === 0) return;
  announce(waiting.join("\n"));
  waiting = [];
  pause = setTimeout(sayWaiting, APART_MS);
}

/** The last text and how many were said: the same one twice is said twice. */
export function useAnnouncement(): { text: string; said: number } {
  return useStore(store);
}
