/** The local store, its code included only once an account is opened: Dexie is a sixth of the first JavaScript. */

import type { LocalStore } from "./store";

/** Open an account's store; one in memory where the browser gives no database, or does not answer. */
export async function openStore(userId: string): Promise<LocalStore> {
  return (await import("./dexie")).openStore(userId);
}

/** Delete what may be left of an account that nobody is signed in to. */
export async function deleteStore(userId: string): Promise<void> {
  await (await import("./dexie")).deleteStore(userId);
}
