/** What was searched for lately, on this device and by this account. */

import { readAccountItem, writeAccountItem } from "@/lib/account-storage";

const NAME = "searches";
const MAX = 8;

export function recentSearches(userId: string): readonly string[] {
  const kept = readAccountItem(userId, NAME);
  return Array.isArray(kept) ? kept.filter((one) => typeof one === "string").slice(0, MAX) : [];
}

/** Put a search first; the same one stands once. */
export function rememberSearch(userId: string, q: string): void {
  const text = q.trim();
  if (text === "") return;
  writeAccountItem(userId, NAME, [text, ...recentSearches(userId).filter((one) => one !== text)].slice(0, MAX));
}

export function forgetSearches(userId: string): void {
  writeAccountItem(userId, NAME, []);
}
