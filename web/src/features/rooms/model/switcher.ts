/** Whether the quick switcher is open. */

import { createStore, useStore } from "zustand";

const store = createStore<{ open: boolean }>(() => ({ open: false }));

export function openSwitcher(): void {
  store.setState({ open: true });
}

export function closeSwitcher(): void {
  store.setState({ open: false });
}

export function useSwitcherOpen(): boolean {
  return useStore(store, ({ open }) => open);
}
