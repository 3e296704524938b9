/** The read markers: moved here at once, told to the server together, and marks that show a room as unread all the same. */

import { shownRead } from "./room-counts";
import type { Rooms } from "./rooms";
import type { ReadMark, ReadyState } from "./schema.gen";
import { CommandRefused } from "./socket";

export interface ReadingOptions {
  rooms: Rooms;
  /** Tell the server of a marker; as `Link.request`. Resolves with where its marker is now. */
  tell: (mark: ReadMark) => Promise<{ read: number }>;
  /** Whether this is the one tab that sends. */
  leading: () => boolean;
  /** The user has marked a room unread from a seq on, or taken that back, and other tabs have not read it. */
  marked: (roomId: string, from: number | undefined) => void;
}

const QUIET_READ_AFTER = 1_000;
const TELL_READING_AFTER = 100;

export class Reading {
  readonly #options: ReadingOptions;
  /** Where markers may follow to, and where they were shown then. */
  readonly #quiet = new Map<string, { seq: number; was: number }>();
  /** Rooms that were read on, of which the server has not been told. */
  readonly #untold = new Set<string>();
  #attended: string | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #readingQuietly: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  markRead(roomId: string, seq: number): void {
    const { rooms } = this.#options;
    // A mark that the server may hear of just now is taken back there as well.
    const marked = this.#mark(roomId, undefined);
    if (!rooms.read(roomId, seq) && !marked) return;
    this.#tellRead(roomId, Math.min(seq, rooms.head(roomId)), marked);
  }

  /** Shown at once, and kept until the server has heard of it. */
  markUnread(roomId: string, seq: number): void {
    this.#mark(roomId, seq);
    this.#tellUnread(roomId, seq);
  }

  /** Somebody looks at the end of this room from now on, or of none: what comes there is read before it would show as new. */
  attend(roomId: string | undefined): void {
    this.#attended = roomId;
  }

  /** Something has come in a room: it is read where somebody looks at it. */
  receive(roomId: string): void {
    const { rooms } = this.#options;
    if (roomId !== this.#attended || !rooms.read(roomId, rooms.head(roomId))) return;
    // Several events at once: a busy room would have the server hear of each.
    this.#untold.add(roomId);
    this.#telling ??= setTimeout(() => this.flush(), TELL_READING_AFTER);
  }

  /** One's own message is nothing to read: the marker follows, told by the one tab that sends. */
  readQuietly(roomId: string, seq: number): void {
    this.#quiet.set(roomId, { seq, was: this.#shown(roomId) });
    this.#readingQuietly ??= setTimeout(() => {
      this.#readingQuietly = undefined;
      const reads = [...this.#quiet];
      this.#quiet.clear();
      const { rooms, leading } = this.#options;
      for (const [id, { seq: upto, was }] of reads) {
        if (this.#shown(id) < was) continue; // marked unread since
        if (rooms.read(id, upto) && leading()) this.#tellRead(id, upto);
      }
    }, QUIET_READ_AFTER);
  }

  /** The server is there again: tell it what was read, or marked unread, here without it. */
  ready(summaries: ReadyState["rooms"]): void {
    for (const { id, read } of summaries) {
      const counts = this.#options.rooms.get(id)?.counts;
      if (counts !== undefined && counts.read > read) this.#tellRead(id, counts.read);
      if (counts?.markedFrom !== undefined) this.#tellUnread(id, counts.markedFrom);
    }
  }

  /** Tell what was read while somebody looked: the page may go. */
  flush(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    for (const id of this.#untold) this.#tellRead(id, this.#options.rooms.get(id)?.counts.read ?? 0);
    this.#untold.clear();
  }

  /** Tell nothing of a room that the user has left. */
  drop(roomId: string): void {
    this.#untold.delete(roomId);
  }

  close(): void {
    clearTimeout(this.#readingQuietly);
    clearTimeout(this.#telling);
  }

  #shown(roomId: string): number {
    const counts = this.#options.rooms.get(roomId)?.counts;
    return counts === undefined ? 0 : shownRead(counts);
  }

  #mark(roomId: string, from: number | undefined): boolean {
    if (!this.#options.rooms.mark(roomId, from)) return false;
    this.#options.marked(roomId, from);
    return true;
  }

  /** Whatever `was` says, a reading that takes back a mark counts. */
  #tellRead(roomId: string, seq: number, whatever = false): void {
    const was = whatever ? {} : { was: this.#options.rooms.get(roomId)?.counts.known ?? 0 };
    this.#move({ room_id: roomId, seq, ...was }, () => {
      // Not where it was marked unread or left since.
      if (this.#shown(roomId) >= seq) this.#tellRead(roomId, seq, whatever);
    });
  }

  #tellUnread(roomId: string, from: number): void {
    this.#move({ room_id: roomId, seq: from - 1, unread: true }, () => {
      if (this.#options.rooms.get(roomId)?.counts.markedFrom === from) this.#tellUnread(roomId, from);
    });
  }

  #move(mark: ReadMark, again: () => void): void {
    const { tell, rooms } = this.#options;
    tell(mark).then(
      ({ read }) => {
        if (mark.unread !== true) rooms.told(mark.room_id, read);
      },
      (error: unknown) => {
        // Lost with the connection, it is told after the next `ready`; slowed down, a moment later.
        if (error instanceof CommandRefused && error.error.retry_after !== undefined) {
          setTimeout(again, error.error.retry_after * 1_000);
        }
      },
    );
  }
}
