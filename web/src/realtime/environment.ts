/** What the data layer takes from the browser, in one place, so that tests can give it something else. */

import type { http } from "@/lib/http";
import type { Locks } from "./tabs";

/** The part of lib/http.ts that is used here. */
export type Http = Pick<typeof http, "get" | "post" | "put">;

export interface Environment {
  /** The server's; empty for the page's own. */
  origin: string;
  http: Http;
  /** Undefined on pages that are neither HTTPS nor this machine. */
  locks: Locks | undefined;
  /** Never upgrade from long-polling. */
  pollingOnly: boolean;
}

/** A random UUID, lower case; also where `crypto.randomUUID` is kept from pages without HTTPS. */
export function newId(): string {
  if ("randomUUID" in crypto) return crypto.randomUUID();
  const bytes = (crypto as Crypto).getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40; // RFC 9562 section 5.4
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const FORCED = "parlour.transport";

/** Whether the page was opened with `?transport=polling`; remembered for the tab, since the address changes. */
export function isPollingForced(): boolean {
  try {
    const asked = new URLSearchParams(location.search).get("transport");
    if (asked !== null) sessionStorage.setItem(FORCED, asked);
    return sessionStorage.getItem(FORCED) === "polling";
  } catch {
    return false;
  }
}
