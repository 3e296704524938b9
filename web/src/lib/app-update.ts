/** New versions of the client: found by the service worker, taken when nothing would be lost by it. */

import { createStore, useStore } from "zustand";

interface AppUpdate {
  /** Start the new version; undefined where there is none. */
  apply: (() => void) | undefined;
  /** Why it must wait, such as "call" or "draft". */
  holds: readonly symbol[];
  dismissed: boolean;
}

const store = createStore<AppUpdate>(() => ({ apply: undefined, holds: [], dismissed: false }));

/** Keep a new version from being offered while something is under way that a reload would end; returns the release. */
export function holdUpdates(reason: string): () => void {
  const hold = Symbol(reason);
  store.setState(({ holds }) => ({ holds: [...holds, hold] }));
  return () => store.setState(({ holds }) => ({ holds: holds.filter((other) => other !== hold) }));
}

/** Tell that a new version waits; `apply` starts it. */
export function offerUpdate(apply: () => void): void {
  store.setState({ apply, dismissed: false });
}

/** Not now: it is taken at the next start of the client. */
export function dismissUpdate(): void {
  store.setState({ dismissed: true });
}

/** What starts the new version, once there is one and nothing holds it. */
export function useUpdate(): (() => void) | undefined {
  return useStore(store, ({ apply, holds, dismissed }) => (holds.length > 0 || dismissed ? undefined : apply));
}
