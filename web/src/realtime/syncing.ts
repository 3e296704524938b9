/** Asks the server for missed events, of many rooms at a time, and never twice for the same while an answer is on its way. */

import { quietUpTo, unreadOf } from "./room-counts";
import type { RoomSync } from "./schema.gen";
import { CommandRefused } from "./socket";
import type { RoomRecord } from "./storage/store";

export interface SyncingOptions {
  ask: (rooms: Record<string, number>) => Promise<Record<string, RoomSync>>;
  answered: (roomId: string, asked: number, answer: RoomSync) => void;
}

/** Events that come in one turn of the loop may close a gap by themselves. */
const GATHER = 30;
const MAX_ROOMS = 100;
/** Unread events of a room that nobody looks at up to which it is found out what they are. */
const MAX_UNREAD = 100;

export class Syncing {
  readonly #options: SyncingOptions;
  readonly #wanted = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  /** Changes when the connection is lost: answers of before are not waited for. */
  #epoch = 0;

  constructor(options: SyncingOptions) {
    this.#options = options;
  }

  /** Ask for what comes after `from`. */
  want(roomId: string, from: number): void {
    this.#wanted.set(roomId, Math.min(from, this.#wanted.get(roomId) ?? Infinity));
    this.#soon(GATHER);
  }

  /** Find out what is unread in rooms of which nothing is held: a reaction is not worth a badge. */
  ready(records: readonly RoomRecord[], heldUpTo: (roomId: string) => number | undefined): void {
    for (const { id, counts } of records) {
      const from = Math.max(quietUpTo(counts), counts.read);
      const gap = counts.head - from;
      if (heldUpTo(id) === undefined && unreadOf(counts) > 0 && gap <= MAX_UNREAD) this.want(id, from);
    }
  }

  /** The connection is gone; the next `ready` says anew what is missed. */
  stop(): void {
    this.#epoch += 1;
    this.#asking = false;
    this.#wanted.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  close(): void {
    this.stop();
  }

  #soon(ms: number): void {
    if (this.#asking) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#ask();
    }, ms);
  }

  async #ask(): Promise<void> {
    const epoch = this.#epoch;
    const asked = [...this.#wanted].slice(0, MAX_ROOMS);
    if (asked.length === 0) return;
    for (const [roomId] of asked) this.#wanted.delete(roomId);
    this.#asking = true;
    let wait = GATHER;
    try {
      const answers = await this.#options.ask(Object.fromEntries(asked));
      if (epoch !== this.#epoch) return;
      this.#asking = false;
      for (const [roomId, from] of asked) {
        const answer = answers[roomId];
        if (answer !== undefined) this.#options.answered(roomId, from, answer);
      }
    } catch (error) {
      if (epoch !== this.#epoch) return;
      this.#asking = false;
      for (const [roomId, from] of asked) this.want(roomId, from);
      wait = (error instanceof CommandRefused ? (error.error.retry_after ?? 1) : 1) * 1_000;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (this.#wanted.size > 0) this.#soon(wait);
  }
}
