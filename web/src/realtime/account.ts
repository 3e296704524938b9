/** Who is signed in in this tab: begins and ends a client, keeps its tokens, and leaves nothing behind. */

import { wipeAccountItems } from "@/lib/account-storage";
import { ApiError } from "@/lib/http";
import { Client } from "./client";
import type { Environment } from "./environment";
import type { GrantAnswer, Profile, User } from "./schema.gen";
import { deleteStore, openStore } from "./storage/open";
import type { LocalStore, SavedSession } from "./storage/store";
import type { Stores } from "./stores";
import { TabChannel, alone, type TabMessage } from "./tabs";
import { Tokens, isRefusal, tokenOf } from "./tokens";
import type { RefusedCommand } from "./types";

/** The part of localStorage that is used. */
export type Notes = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export interface AccountOptions {
  environment: Environment;
  stores: Stores;
  notes: Notes;
  refused: (command: RefusedCommand) => void;
}

/** Whose store to open when the page does. */
const ACCOUNT = "parlour.account";
/** Set while the server has not heard that the user signed out. */
const SIGNED_OUT = "parlour.signed-out";

/**
 * Ends of a session that leave what was not sent to the same user's next one; after others nothing stays on the device.
 * A token may seem reused because the answer that brought the next one was lost with the network.
 */
const KEEPS_UNSENT: ReadonlySet<string> = new Set([
  "refresh_token_expired",
  "refresh_token_invalid",
  "refresh_token_reused",
  "token_reused",
  "password_changed",
  "role_changed",
]);

interface Opened {
  client: Client;
  store: LocalStore;
  tokens: Tokens;
  channel: TabChannel;
  saved: SavedSession;
}

export class Account {
  readonly #options: AccountOptions;
  #opened: Opened | undefined;

  constructor(options: AccountOptions) {
    this.#options = options;
  }

  get client(): Client | undefined {
    return this.#opened?.client;
  }

  get tokens(): Tokens | undefined {
    return this.#opened?.tokens;
  }

  /** Whether the last page of this browser had somebody signed in: known at once, and likely to hold. */
  get remembered(): boolean {
    return this.#options.notes.getItem(ACCOUNT) !== null;
  }

  /** Begin a session with what a login or a registration has brought. */
  async start(grant: GrantAnswer): Promise<void> {
    const { notes } = this.#options;
    this.#close();
    const before = notes.getItem(ACCOUNT);
    if (before !== null && before !== grant.user.id) {
      wipeAccountItems();
      await deleteStore(before);
    }
    notes.removeItem(SIGNED_OUT);
    notes.setItem(ACCOUNT, grant.user.id);
    const store = await openStore(grant.user.id);
    await this.#open(store, { user: grant.user, sessionId: "" }, grant);
  }

  /** Go on where the last page of this browser was. Resolves once it is known whether anybody is signed in. */
  async resume(): Promise<void> {
    const { notes } = this.#options;
    if (notes.getItem(SIGNED_OUT) !== null) await this.#tellSignedOut();
    const userId = notes.getItem(ACCOUNT);
    if (userId === null) return;
    const store = await openStore(userId);
    const saved = await store.session();
    if (saved !== undefined) {
      await this.#open(store, saved);
      return;
    }
    let grant: GrantAnswer;
    try {
      grant = await this.#refresh();
    } catch (error) {
      store.close();
      if (isRefusal(error)) notes.removeItem(ACCOUNT);
      return;
    }
    if (grant.user.id === userId) {
      await this.#open(store, { user: grant.user, sessionId: "" }, grant);
      return;
    }
    store.close();
    await this.start(grant);
  }

  /** Sign out, on this device at once and on the server as soon as it can be told. */
  async end(): Promise<void> {
    this.#options.notes.setItem(SIGNED_OUT, "true");
    this.#opened?.channel.tell({ type: "ended", reason: "logout" });
    await Promise.all([this.#over("logout"), this.#tellSignedOut()]);
  }

  /** The user has changed the account, or the server says so. */
  rename(changes: User | Profile): void {
    const opened = this.#opened;
    if (opened?.saved.user.id !== changes.id) return;
    const { username, display_name } = changes;
    const user: User = "email" in changes ? changes : { ...opened.saved.user, username, display_name };
    this.#save({ ...opened.saved, user });
  }

  async #open(store: LocalStore, saved: SavedSession, grant?: GrantAnswer): Promise<void> {
    const { environment, stores, refused } = this.#options;
    const userId = saved.user.id;
    const channel = new TabChannel(`parlour-${userId}`, (message) => this.#told(message));
    const tokens = new Tokens({
      refresh: () => this.#refresh(),
      alone: (run) => alone(environment.locks, "parlour-refresh", run),
      share: (token) => channel.tell({ type: "token", token }),
      granted: ({ user }) => {
        // Another tab has signed in as somebody else: the cookie is theirs.
        if (user.id !== userId) void this.#over("logout");
        else this.rename(user);
      },
      ended: (reason) => void this.#over(reason),
      now: () => Date.now(),
    });
    if (grant !== undefined) tokens.take(tokenOf(grant, Date.now()));
    const client = new Client({
      userId,
      environment,
      stores,
      store,
      tokens,
      channel,
      named: ({ user, session_id }) => {
        if (this.#opened?.client !== client) return;
        this.#save({ ...this.#opened.saved, sessionId: session_id });
        this.rename(user);
      },
      ended: (reason) => void this.#over(reason),
      refused,
    });
    const opened: Opened = { client, store, tokens, channel, saved };
    this.#opened = opened;
    await Promise.all([store.saveSession(saved), client.start()]);
    if (this.#opened === opened) stores.session.setState({ session: opened.saved, reason: undefined });
  }

  #save(saved: SavedSession): void {
    const opened = this.#opened;
    if (opened === undefined) return;
    const { user, sessionId } = opened.saved;
    if (sessionId === saved.sessionId && JSON.stringify(user) === JSON.stringify(saved.user)) return;
    opened.saved = saved;
    this.#options.stores.session.setState({ session: saved, reason: undefined });
    void opened.store.saveSession(saved);
    opened.channel.tell({ type: "user", user: saved.user });
  }

  #told(message: TabMessage): void {
    switch (message.type) {
      case "token":
        this.#opened?.tokens.take(message.token);
        return;
      case "ended":
        void this.#over(message.reason);
        return;
      case "user":
        this.rename(message.user);
        return;
      default:
        this.#opened?.client.told(message);
    }
  }

  /** The session is over; nothing of it stays, but for what the reason leaves. */
  async #over(reason: string): Promise<void> {
    const opened = this.#close();
    if (opened === undefined) return;
    const { notes, stores } = this.#options;
    if (notes.getItem(ACCOUNT) === opened.saved.user.id) notes.removeItem(ACCOUNT);
    stores.session.setState({ session: null, reason });
    await opened.store.wipe(KEEPS_UNSENT.has(reason));
  }

  #close(): Opened | undefined {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.client.close();
    opened?.channel.close();
    return opened;
  }

  #refresh(): Promise<GrantAnswer> {
    return this.#options.environment.http.post("/api/auth/refresh", { cookie: true }, { anonymous: true });
  }

  async #tellSignedOut(): Promise<void> {
    try {
      await this.#options.environment.http.post("/api/auth/logout", {}, { anonymous: true });
    } catch (error) {
      if (error instanceof ApiError && error.status === 0) return; // the next page tells it
    }
    this.#options.notes.removeItem(SIGNED_OUT);
  }
}
