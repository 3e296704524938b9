/** The account of this page, on the browser's own storage, locks and network. */

import { http, setTokenSource } from "@/lib/http";
import { Account, type Notes } from "./account";
import type { Client } from "./client";
import { isPollingForced, type Environment } from "./environment";
import type { GrantAnswer, User } from "./schema.gen";
import { createStores } from "./stores";
import type { Locks } from "./tabs";
import type { RefusedCommand } from "./types";

export const stores = createStores();

const refusals = new Set<(command: RefusedCommand) => void>();
let account: Account | undefined;

/** Nobody is signed in, and something was asked for that needs somebody. */
class SignedOut extends Error {
  override readonly name = "SignedOut";
}

/** The account's client. Throws where nobody is signed in. */
export function client(): Client {
  const opened = account?.client;
  if (opened === undefined) throw new SignedOut("Nobody is signed in.");
  return opened;
}

/** The account's client, if anybody is signed in. */
export function clientIfAny(): Client | undefined {
  return account?.client;
}

/** Begin a session with what `POST /api/auth/login` or `/register` (both with `cookie: true`) has answered. */
export async function startSession(grant: GrantAnswer): Promise<void> {
  await theAccount().start(grant);
}

/** Go on where the last page of this browser was; call once, before anything is drawn. */
export async function resumeSession(): Promise<void> {
  await theAccount().resume();
}

/** Whether `resumeSession` is likely to find somebody, so that what they will need can be fetched meanwhile. */
export function expectsSession(): boolean {
  return theAccount().remembered;
}

/** Sign out: forget everything on this device, end the session on the server. */
export async function endSession(): Promise<void> {
  await theAccount().end();
}

/** Show a change of the user's own account, which `PATCH /api/auth/me` has answered. */
export function accountChanged(user: User): void {
  account?.rename(user);
}

/** Try to connect now: somebody asks for it. */
export function reconnect(): void {
  clientIfAny()?.link.input({ type: "woken" });
}

/** Hear of commands that were refused for good and show on no message. Returns how to stop. */
export function onCommandRefused(listener: (command: RefusedCommand) => void): () => void {
  refusals.add(listener);
  return () => refusals.delete(listener);
}

function theAccount(): Account {
  if (account !== undefined) return account;
  const created = new Account({
    environment: environment(),
    stores,
    notes: notes(),
    refused: (command) => refusals.forEach((listener) => listener(command)),
  });
  account = created;
  setTokenSource({
    token: () => tokensOf(created).get(),
    renew: (refused) => {
      tokensOf(created).refuse(refused);
      return tokensOf(created).get();
    },
  });
  return created;
}

function tokensOf({ tokens }: Account) {
  if (tokens === undefined) throw new SignedOut("Nobody is signed in.");
  return tokens;
}

function environment(): Environment {
  // Typed as always there, it is kept from pages without HTTPS.
  const manager = (navigator as { locks?: LockManager }).locks;
  const locks: Locks | undefined = manager && {
    request: (name, options, run) => manager.request(name, options, run),
  };
  return { origin: "", http, locks, pollingOnly: isPollingForced() };
}

/** localStorage; where the browser keeps it back, memory. */
function notes(): Notes {
  try {
    localStorage.getItem("");
    return localStorage;
  } catch {
    const kept = new Map<string, string>();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    };
  }
}
