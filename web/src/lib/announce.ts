/** Say something to people who use a screen reader; components/ui/announcer.tsx is the live region. */

import { createStore, useStore } from "zustand";

const store = createStore<{ text: string; said: number }>(() => ({ text: "", said: 0 }));

export function announce(text: string): void {
  store.setState(({ said }) => ({ text, said: said + 1 }));
}

/** The last text and how many were said: the same one twice is said twice. */
export function useAnnouncement(): { text: string; said: number } {
  return useStore(store);
}
