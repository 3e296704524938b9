/** The tabs of one account in one browser: what they tell each other, and which of them does what only one may do. */

import type { Removal } from "./outbox-rules";
import type { User } from "./schema.gen";
import type { SavedDraft } from "./storage/store";
import type { AccessToken } from "./tokens";

export type TabMessage =
  /** The outbox of a room was written, and `removed` from the store (a tab of an older version does not say). */
  | { type: "outbox"; roomId: string; removed?: readonly Removal[] }
  | { type: "token"; token: AccessToken }
  | { type: "draft"; draft: SavedDraft }
  /** The user has marked a room unread from a seq on, or taken the mark away. */
  | { type: "mark"; roomId: string; from?: number }
  | { type: "user"; user: User }
  /** The session is over. */
  | { type: "ended"; reason: string };

/** A channel to the other tabs of an account; a tab does not hear itself. */
export class TabChannel {
  readonly #channel: BroadcastChannel | undefined;

  constructor(name: string, listener: (message: TabMessage) => void) {
    if (typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => listener(data);
  }

  tell(message: TabMessage): void {
    this.#channel?.postMessage(message);
  }

  close(): void {
    this.#channel?.close();
  }
}

/** Web Locks, as far as they are used here; undefined on pages that are neither HTTPS nor this machine. */
export interface Locks {
  request: <T>(name: string, options: { signal?: AbortSignal; steal?: boolean }, run: () => Promise<T>) => Promise<T>;
}

/** Run alone among the tabs; without locks, at once. */
export async function alone<T>(locks: Locks | undefined, name: string, run: () => Promise<T>): Promise<T> {
  return locks === undefined ? run() : locks.request(name, {}, run);
}

/**
 * Whether this tab is the one that sends.
 *
 * A tab wants it while it is online, and gives it up when it is not, so that the network of one tab never holds up another. Without
 * locks every tab leads: what two send twice the server keeps once, and each keeps the order.
 */
export class Leadership {
  readonly #locks: Locks | undefined;
  readonly #name: string;
  readonly #changed: (leading: boolean) => void;
  #turn: Turn | undefined;

  constructor(locks: Locks | undefined, name: string, changed: (leading: boolean) => void) {
    this.#locks = locks;
    this.#name = name;
    this.#changed = changed;
  }

  want(wanted: boolean): void {
    if (!wanted) this.#giveUp();
    else if (this.#turn === undefined) this.#ask({});
  }

  /** Take it from a tab that does nothing with it: a browser may have put that one to sleep. */
  insist(): void {
    if (this.#turn === undefined || this.#turn.release !== undefined) return;
    this.#giveUp();
    this.#ask({ steal: true });
  }

  #ask(options: { steal?: true }): void {
    const turn: Turn = { waiting: new AbortController() };
    this.#turn = turn;
    const lead = () =>
      new Promise<void>((resolve) => {
        if (this.#turn !== turn) {
          resolve();
          return;
        }
        turn.release = resolve;
        this.#changed(true);
      });
    if (this.#locks === undefined) {
      void lead();
      return;
    }
    // The specification has no signal beside `steal`, which never waits.
    const how = options.steal === true ? options : { signal: turn.waiting.signal };
    this.#locks.request(this.#name, how, lead).catch(() => {
      if (this.#turn !== turn) return;
      // Taken by another tab: wait for another turn.
      this.#giveUp();
      this.#ask({});
    });
  }

  #giveUp(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.waiting.abort();
    if (turn?.release === undefined) return;
    this.#changed(false);
    turn.release();
  }
}

interface Turn {
  waiting: AbortController;
  /** Lets go of the lock; there once this tab has it. */
  release?: () => void;
}
