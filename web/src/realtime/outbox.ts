/**
 * The outbox: what the user does goes to the device's store first, is shown at once, and is sent until the server has acknowledged it.
 *
 * One tab sends (see tabs.ts), the others write to the same store and say so. What the one has seen placed and removed from the store
 * stays on the screen of another until that one has seen it too. Each step is written down before the next: an attempt
 * before it is made, an acknowledgement before the next command goes out. A crash between any two repeats the step, which is harmless,
 * since the server keeps one event for each client id; it never skips one.
 */

import {
  acknowledged,
  added,
  attempted,
  concerns,
  discarded,
  edited,
  heldUntil,
  identified,
  isPermanent,
  isSilent,
  next,
  refused,
  released,
  removals,
  retried,
  seen,
  settled,
  stranded,
  type Command,
  type Entries,
  type MessageRef,
  type OutboxEntry,
  type Place,
  type Removal,
} from "./outbox-rules";
import type { ErrorBody, Placed } from "./schema.gen";
import { CommandRefused } from "./socket";
import type { OutboxStore } from "./storage/store";

export interface OutboxOptions {
  store: OutboxStore;
  /** Send once, and wait for the acknowledgement; as `Link.request`. */
  send: (entry: OutboxEntry) => Promise<Omit<Placed, "ok">>;
  /** What is to be shown of a room has changed. */
  changed: (roomId: string) => void;
  /** A command that shows on no message was refused for good, and is gone. */
  refused: (entry: OutboxEntry, error: ErrorBody) => void;
  /** Something was written that other tabs have not read, and `removed` from the store by it. */
  written: (roomId: string, removed: readonly Removal[]) => void;
  /** The id of a message of the user's own, from what else is known of the room. */
  idOf: (roomId: string, clientId: string) => string | undefined;
  delay: (ms: number) => Promise<void>;
  newId: () => string;
  now: () => number;
}

type Change = (entries: Entries) => Entries;

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const REMEMBERED_PLACES = 500;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #known = new Map<string, Entries>();
  /** What the user has just done and the store has not confirmed yet. */
  readonly #unsaved = new Map<string, Change[]>();
  /** What another tab has removed from the store, and this one has not seen placed. */
  readonly #lingering = new Map<string, Entries>();
  readonly #places = new Map<string, Place>();
  readonly #refusals = new Map<string, number>();
  readonly #pumping = new Set<string>();
  /** When the rooms that hold something are looked at again. */
  readonly #due = new Map<string, number>();
  /** Changes when sending begins or stops, so that what was under way before goes no further. */
  #turn = 0;
  #active = false;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Read what is there from before. */
  async load(): Promise<void> {
    const entries = await this.#serially(() => this.#options.store.all());
    for (const roomId of new Set(entries.map((each) => each.roomId))) {
      this.#take(
        roomId,
        entries.filter((each) => each.roomId === roomId),
      );
    }
  }

  /** The entries of a room as they are to be shown. */
  entries(roomId: string): Entries {
    const lingering = this.#lingering.get(roomId) ?? [];
    const known: Entries = [...lingering, ...(this.#known.get(roomId) ?? [])].sort((a, b) => a.order - b.order);
    return (this.#unsaved.get(roomId) ?? []).reduce((entries, change) => change(entries), known);
  }

  /** The rooms that have entries. */
  rooms(): string[] {
    return [...new Set([...this.#known.keys(), ...this.#unsaved.keys()])];
  }

  /** Commands that the server has not acknowledged. */
  get count(): number {
    return this.rooms().reduce((sum, id) => sum + this.entries(id).filter((each) => each.state !== "placed").length, 0);
  }

  /** How a command names a message, given what the timeline shows as its id. */
  refTo(roomId: string, id: string): MessageRef {
    const pending = this.entries(roomId).find((each) => each.clientId === id);
    if (pending !== undefined) return pending.placed === undefined ? { clientId: id } : { id: pending.placed.id };
    return { id: this.#idOf(roomId, id) ?? id };
  }

  /**
   * Take a command, to be sent no sooner than in `hold` ms. Returns its client id at once; `saved` resolves when it cannot be lost any
   * more.
   */
  add(roomId: string, command: Command, hold = 0): { clientId: string; saved: Promise<void> } {
    const clientId = this.#options.newId();
    const at = this.#options.now();
    const entry: OutboxEntry = { order: 0, clientId, roomId, at, command, attempts: 0, state: "waiting" };
    if (hold > 0) entry.notBefore = at + hold;
    return { clientId, saved: this.#do(roomId, (entries) => added(entries, entry)) };
  }

  /** Send a failed command once more. */
  async retry(clientId: string): Promise<void> {
    await this.#doTo(clientId, (entries) => retried(entries, clientId));
  }

  /** Give a command up. */
  async discard(clientId: string): Promise<void> {
    await this.#doTo(clientId, (entries) => discarded(entries, clientId));
  }

  /** Send another text in place of one that failed, or was never sent. */
  async edit(clientId: string, text: string): Promise<void> {
    const freshId = this.#options.newId();
    await this.#doTo(clientId, (entries) => edited(entries, clientId, text, freshId));
  }

  /** Send what is held for the user to take back: the page is left. */
  async release(): Promise<void> {
    const now = this.#options.now();
    const holding = this.rooms().filter((roomId) => heldUntil(this.entries(roomId), now) !== undefined);
    await Promise.all(holding.map((roomId) => this.#do(roomId, released)));
  }

  /** Another tab has written, and `removed` from the store: read the room's entries anew. */
  async refresh(roomId: string, removed: readonly Removal[]): Promise<void> {
    await this.#update(roomId, (entries) => entries, { tell: false });
    const byId = new Map(removed.map((each) => [each.clientId, each]));
    this.#linger(roomId, (entries) =>
      entries.flatMap((each) => {
        const why = byId.get(each.clientId);
        if (why === undefined) return [each];
        return why.placed === undefined ? [] : [{ ...each, placed: why.placed }];
      }),
    );
    this.#begin(roomId);
  }

  /** Begin or stop sending: this tab is the one that sends, and it is online. */
  setActive(active: boolean): void {
    if (active === this.#active) return;
    this.#active = active;
    this.#turn += 1;
    this.#pumping.clear();
    if (active) for (const roomId of this.rooms()) this.#begin(roomId);
  }

  /** Events of the user's own have come: `events` says where by their client ids. */
  async receive(roomId: string, events: ReadonlyMap<string, Place>): Promise<void> {
    for (const [clientId, place] of events) this.#remember(clientId, place);
    this.#linger(roomId, (entries) => entries.filter((each) => !events.has(each.clientId)));
    if (!this.entries(roomId).some((each) => concerns(each, events))) return;
    await this.#update(roomId, (entries) => seen(entries, events));
    this.#begin(roomId);
  }

  /** All events of a room up to `head` are shown. */
  async settle(roomId: string, head: number): Promise<void> {
    this.#linger(roomId, (entries) => settled(entries, head));
    const entries = this.#known.get(roomId) ?? [];
    if (settled(entries, head) !== entries) await this.#update(roomId, (each) => settled(each, head));
  }

  /** The user is no longer a member of a room: nothing can be sent there. Texts stay, as failed; the rest is reported and gone. */
  async strand(roomId: string, error: ErrorBody): Promise<void> {
    const lost = this.entries(roomId).filter((each) => each.state !== "placed" && !("text" in each.command));
    this.#linger(roomId, () => []);
    if (this.entries(roomId).length > 0) await this.#update(roomId, (entries) => stranded(entries, error));
    for (const entry of lost) this.#options.refused(entry, error);
  }

  /** Whether something has waited since before `since` (ms) and was never sent: whoever should send it does not. */
  isStuck(since: number): boolean {
    const firsts = this.rooms().map((roomId) => this.#next(roomId));
    return firsts.some((first) => first?.attempts === 0 && first.at < since);
  }

  async #doTo(clientId: string, change: Change): Promise<void> {
    const roomId = this.rooms().find((id) => this.entries(id).some((each) => each.clientId === clientId));
    if (roomId !== undefined) await this.#do(roomId, change);
  }

  /** Show a change at once, write it down, and send what there is to send. */
  async #do(roomId: string, change: Change): Promise<void> {
    this.#unsaved.set(roomId, [...(this.#unsaved.get(roomId) ?? []), change]);
    this.#options.changed(roomId);
    const written = () => {
      const rest = (this.#unsaved.get(roomId) ?? []).filter((each) => each !== change);
      if (rest.length > 0) this.#unsaved.set(roomId, rest);
      else this.#unsaved.delete(roomId);
    };
    await this.#update(roomId, change, { written });
    this.#begin(roomId);
  }

  async #update(
    roomId: string,
    change: Change,
    { tell = true, written }: { tell?: boolean; written?: () => void } = {},
  ): Promise<Entries> {
    return this.#serially(async () => {
      let before: Entries = [];
      // What a command builds on may have been placed, and be gone from the store, while the command waited to be written.
      const entries = await this.#options.store.update(roomId, (stored) => {
        before = stored;
        return identified(change(stored), (clientId) => this.#idOf(roomId, clientId));
      });
      written?.();
      this.#keepVanished(roomId, before);
      this.#take(roomId, entries);
      if (tell)
        this.#options.written(
          roomId,
          removals(before, entries, (clientId) => this.#places.get(clientId)),
        );
      return entries;
    });
  }

  /** What another tab has removed is most likely placed, and not yet seen here; that tab says what became of it (`refresh`). */
  #keepVanished(roomId: string, stored: Entries): void {
    const there = new Set(stored.map((each) => each.clientId));
    const vanished = (this.#known.get(roomId) ?? []).filter(
      ({ clientId }) => !there.has(clientId) && this.#idOf(roomId, clientId) === undefined,
    );
    if (vanished.length === 0) return;
    const kept = vanished.map((each): OutboxEntry => ({ ...each, state: "placed" }));
    this.#lingering.set(roomId, [...(this.#lingering.get(roomId) ?? []), ...kept]);
  }

  #linger(roomId: string, change: Change): void {
    const before = this.#lingering.get(roomId);
    if (before === undefined) return;
    const after = change(before);
    if (after.length > 0) this.#lingering.set(roomId, after);
    else this.#lingering.delete(roomId);
    this.#options.changed(roomId);
  }

  /** One after the other, so that what is known always becomes newer. */
  #serially<T>(write: () => Promise<T>): Promise<T> {
    const mine = this.#writing.then(write);
    this.#writing = mine.catch(() => undefined);
    return mine;
  }

  #take(roomId: string, entries: Entries): void {
    if (entries.length > 0) this.#known.set(roomId, entries);
    else this.#known.delete(roomId);
    this.#options.changed(roomId);
  }

  #begin(roomId: string): void {
    // Only a store that was closed, at the end of the session, refuses to write.
    this.#pump(roomId).catch(() => this.setActive(false));
  }

  /** Send a room's commands, one after the other, until none is left that may go. */
  async #pump(roomId: string): Promise<void> {
    if (!this.#active || this.#pumping.has(roomId)) return;
    const turn = this.#turn;
    const going = () => this.#active && turn === this.#turn;
    this.#pumping.add(roomId);
    let failures = 0;
    while (going()) {
      const entry = await this.#claim(roomId);
      if (entry === undefined || !going()) break;
      const told = await this.#attempt(roomId, entry);
      failures = told === "done" ? 0 : failures + 1;
      if (told === "done" || !going()) continue;
      await this.#options.delay(Math.max(told, Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures)));
    }
    if (turn !== this.#turn) return;
    this.#pumping.delete(roomId);
    // What was added while the last look found nothing has not been able to begin by itself.
    if (!going()) return;
    if (this.#next(roomId) !== undefined) this.#begin(roomId);
    else this.#beginWhenDue(roomId);
  }

  #next(roomId: string): OutboxEntry | undefined {
    return next(this.#known.get(roomId) ?? [], this.#options.now());
  }

  #beginWhenDue(roomId: string): void {
    const now = this.#options.now();
    const due = heldUntil(this.#known.get(roomId) ?? [], now);
    if (due === undefined || due === this.#due.get(roomId)) return;
    this.#due.set(roomId, due);
    void this.#options.delay(due - now).then(() => {
      if (this.#due.get(roomId) === due) this.#due.delete(roomId);
      this.#begin(roomId);
    });
  }

  /** Count an attempt of the next command before it is made: from then on it may have arrived. */
  async #claim(roomId: string): Promise<OutboxEntry | undefined> {
    if (this.#next(roomId) === undefined) return undefined;
    let claimed: string | undefined;
    const entries = await this.#update(roomId, (before) => {
      claimed = next(before, this.#options.now())?.clientId;
      return claimed === undefined ? before : attempted(before, claimed);
    });
    return entries.find((each) => each.clientId === claimed);
  }

  /** Send one command; "done" when the next may follow, else the least ms to wait. */
  async #attempt(roomId: string, entry: OutboxEntry): Promise<"done" | number> {
    const { clientId } = entry;
    try {
      const placed = await this.#options.send(entry);
      this.#remember(clientId, placed);
      await this.#update(roomId, (entries) => acknowledged(entries, clientId, placed));
      this.#refusals.delete(clientId);
      return "done";
    } catch (cause) {
      if (!(cause instanceof CommandRefused)) return 0;
      const { error } = cause;
      const refusals = (this.#refusals.get(clientId) ?? 0) + 1;
      this.#refusals.set(clientId, refusals);
      if (!isPermanent(error, refusals)) return (error.retry_after ?? 0) * 1_000;
      this.#refusals.delete(clientId);
      const silent = isSilent(entry.command.kind);
      await this.#update(roomId, (entries) =>
        silent ? discarded(entries, clientId) : refused(entries, clientId, error),
      );
      if (silent) this.#options.refused(entry, error);
      return "done";
    }
  }

  #idOf(roomId: string, clientId: string): string | undefined {
    return this.#places.get(clientId)?.id ?? this.#options.idOf(roomId, clientId);
  }

  #remember(clientId: string, { id, seq, at }: Place): void {
    this.#places.set(clientId, { id, seq, at });
    if (this.#places.size > REMEMBERED_PLACES) {
      const oldest = this.#places.keys().next().value;
      if (oldest !== undefined) this.#places.delete(oldest);
    }
  }
}
