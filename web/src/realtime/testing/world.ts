/**
 * A server, a network and tabs of one browser, for tests of the outbox that break one of them between any two steps.
 *
 * The server keeps the contract of docs/reference/events.md: one event for each client id, acknowledged once it is durable, told to every
 * connected tab. Every point at which something may break calls `step`; the fault strikes at the step with its number.
 */

import { Outbox } from "../outbox";
import type { Entries, OutboxEntry, Place } from "../outbox-rules";
import type { ErrorBody } from "../schema.gen";
import { CommandRefused, NoAnswer } from "../socket";
import { openStore } from "../storage/dexie";
import type { LocalStore, OutboxStore } from "../storage/store";
import { Leadership } from "../tabs";
import { FakeLocks } from "./locks";

export type Fault = "tab dies" | "network is cut" | "server is killed";

interface LoggedCommand {
  seq: number;
  id: string;
  clientId: string;
  kind: string;
  text: string;
  target?: string;
}

export class World {
  readonly log: LoggedCommand[] = [];
  readonly tabs: Tab[] = [];
  readonly #locks = new FakeLocks();
  #steps = 0;
  #struck = false;
  #epoch = 0;
  /** Acknowledge only, as if every event were lost. */
  mute = false;
  /** What the clock says, in ms. */
  now = 0;
  /** Refusals to come, in order: what the server says instead of doing what it is asked. */
  readonly refusals: ErrorBody[] = [];

  constructor(
    readonly fault?: Fault,
    readonly strikeAt = Infinity,
  ) {}

  get struck(): boolean {
    return this.#struck;
  }

  async openTab(): Promise<Tab> {
    const tab = new Tab(this, this.#locks.open(), await openStore("ann"));
    this.tabs.push(tab);
    await Promise.race([tab.start(), tab.death]);
    return tab;
  }

  /** A point at which something may break; resolves never in a tab that is dead. */
  async step(tab: Tab): Promise<void> {
    this.#steps += 1;
    if (this.#steps === this.strikeAt && !this.#struck) {
      this.#struck = true;
      if (this.fault === "tab dies") tab.die();
      else this.#disconnect();
    }
    await tab.breath();
  }

  /** What the server does with a command: it has come, it is durable, it is told, it is acknowledged. */
  async serve(tab: Tab, entry: OutboxEntry): Promise<Place> {
    const epoch = this.#epoch;
    const connected = () => epoch === this.#epoch && tab.alive;
    const cut = () => {
      if (!connected()) throw new NoAnswer("cut off");
    };
    await this.step(tab);
    cut();
    await this.step(tab);
    // Cut off now, the command has come all the same; a killed server has lost it.
    if (this.fault === "server is killed") cut();
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw new CommandRefused(refusal);
    const placed = this.#append(entry);
    await this.step(tab);
    if (connected() && !this.mute)
      for (const each of this.tabs) if (each.alive) void each.hear(entry.roomId, entry.clientId, placed);
    await this.step(tab);
    cut();
    return placed;
  }

  close(): void {
    for (const tab of this.tabs) tab.die();
  }

  #append({ clientId, command }: OutboxEntry): Place {
    let known = this.log.find((each) => each.clientId === clientId);
    if (known === undefined) {
      const seq = this.log.length + 1;
      known = { seq, id: `id-${seq}`, clientId, kind: command.kind, text: "text" in command ? command.text : "" };
      if ("target" in command && "id" in command.target) known.target = command.target.id;
      this.log.push(known);
    }
    return { id: known.id, seq: known.seq, at: known.seq };
  }

  #disconnect(): void {
    this.#epoch += 1;
    const cut = this.tabs.filter((each) => each.alive);
    for (const tab of cut) tab.setOnline(false);
    setTimeout(() => cut.forEach((tab) => tab.alive && tab.setOnline(true)), 5);
  }
}

export class Tab {
  alive = true;
  readonly death: Promise<void>;
  #dies: () => void = () => undefined;
  readonly outbox: Outbox;
  readonly refused: string[] = [];
  readonly shown: Entries[] = [];
  readonly #world: World;
  readonly #browser: ReturnType<FakeLocks["open"]>;
  readonly #store: LocalStore;
  readonly #leadership: Leadership;
  readonly #heard = new Map<string, string>();
  /** Whether events come to this tab; what it has not heard it never shows. */
  deaf = false;
  #ids = 0;

  constructor(world: World, browser: ReturnType<FakeLocks["open"]>, store: LocalStore) {
    this.#world = world;
    this.#browser = browser;
    this.#store = store;
    this.death = new Promise((resolve) => (this.#dies = resolve));
    const name = world.tabs.length;
    this.outbox = new Outbox({
      store: this.#fragile(store.outbox),
      send: (entry) => world.serve(this, entry),
      changed: (roomId) => this.shown.push(this.outbox.entries(roomId)),
      refused: ({ clientId }) => this.refused.push(clientId),
      written: (roomId, removed) => {
        for (const each of world.tabs) if (each !== this && each.alive) void each.outbox.refresh(roomId, removed);
      },
      idOf: (_roomId, clientId) => this.#heard.get(clientId),
      delay: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 3))),
      newId: () => `${name}-${++this.#ids}`,
      now: () => world.now,
    });
    this.#leadership = new Leadership(browser.locks, "outbox", (leads) => this.outbox.setActive(leads && this.alive));
  }

  async start(): Promise<void> {
    await this.outbox.load();
    this.setOnline(true);
  }

  setOnline(online: boolean): void {
    this.#leadership.want(online);
  }

  /** The tab is closed, or crashes: nothing that it has begun goes on. */
  die(): void {
    if (!this.alive) return;
    this.alive = false;
    this.outbox.setActive(false);
    this.#browser.die();
    this.#store.close();
    this.#dies();
  }

  /** One turn of the event loop; never again in a dead tab. */
  async breath(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.alive) await new Promise(() => undefined);
  }

  async hear(roomId: string, clientId: string, place: Place): Promise<void> {
    await this.#world.step(this);
    if (this.deaf) return;
    this.#heard.set(clientId, place.id);
    await this.outbox.receive(roomId, new Map([[clientId, place]]));
  }

  #fragile(store: OutboxStore): OutboxStore {
    return {
      all: async () => {
        await this.#world.step(this);
        return store.all();
      },
      update: async (roomId, change) => {
        await this.#world.step(this);
        const after = await store.update(roomId, change);
        await this.#world.step(this);
        return after;
      },
    };
  }
}
