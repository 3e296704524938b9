// Stock clients that send without pause, resend until acknowledged and sync what they missed (or, where that is too much, fetch it as
// history), as docs/reference/events.md says. What each sent, was acknowledged, applied, saw live and shows goes to standard output at the
// end: first every event that somebody applied, in lines {event: "entries", entries}, and every state of a message that somebody shows, in
// lines {event: "states", states}, then a line a client, whose `applied` and `shown` are places in those and whose `live` are
// [connection, room, stay, [seq, …]].
// A share of PARLOUR_CHANGES of what they send edits and deletes messages of theirs, and reacts. With PARLOUR_REMOVAL the last of each room
// is removed by its owner, the first, and added again after a while, all the time.
// Commands on standard input: `mark` (count anew who is served: ready, and something acknowledged where something waited; `progress` tells
// how many messages were acknowledged, and how many seconds after it all were back, and were served), `explain` (tell what those wait for who wait, then `explained`), `stop` (send no more, empty the outbox, sync a last time, report, exit); its end exits at once.
// PARLOUR_URL (several, by spaces, are for one client after the other), PARLOUR_TOKENS (JSON lines: user_id, access_token), PARLOUR_SEED, PARLOUR_PAUSE (mean ms between sends),
// PARLOUR_RECONNECTION (`stock`, `brisk`: up to 2 s, or `fast`: 30 to 120 ms).
import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { createInterface } from "node:readline";
import { io } from "socket.io-client";
import { entries, fold, paged, placeEntry, placeState, states } from "./room-view.mjs";

const users = readFileSync(process.env.PARLOUR_TOKENS, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const urls = process.env.PARLOUR_URL.split(" ");
const changes = Number(process.env.PARLOUR_CHANGES ?? 0);
// There are as many messages as without changes.
const pause = Number(process.env.PARLOUR_PAUSE) * (1 - changes);
const removal = Number(process.env.PARLOUR_REMOVAL ?? 0); // ms between removals and until one is undone, on average half of that
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const reconnection =
  { fast: { reconnectionDelay: 60, reconnectionDelayMax: 80 }, brisk: { reconnectionDelay: 300, reconnectionDelayMax: 2000 } }[
    process.env.PARLOUR_RECONNECTION
  ] ?? {};
const RETRY = new Set([
  "busy",
  "unavailable",
  "broker_unavailable",
  "bus_unavailable",
  "database_unavailable",
  "internal",
  "rate_limited",
]);

// mulberry32: what is sent, and how far apart, repeats with the seed.
function randomness(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Client {
  constructor(user, number) {
    this.number = number;
    this.url = urls[number % urls.length];
    this.user = user.user_id;
    this.token = user.access_token;
    [this.first] = user.room_ids ?? [];
    this.random = randomness(Number(process.env.PARLOUR_SEED) * 1000 + number);
    this.transports = number % 2 ? ["websocket"] : ["polling", "websocket"];
    this.window = number % 3 === 0 ? 1 : 4;
    this.rooms = new Map();
    this.sent = [];
    this.acked = [];
    this.applied = [];
    this.live = new Map();
    this.skipped = [];
    this.returns = [];
    this.problems = [];
    this.waits = [];
    this.connections = 0;
    this.resets = 0;
    this.messages = 0;
    this.syncing = false;
    this.stopping = false;
    this.waiting = false;
    this.socket = io(this.url, {
      auth: { token: user.access_token },
      transports: this.transports,
      forceNew: true,
      // As browsers have it: without one, Node makes a connection for each request, and 200 clients do nothing but handshakes of TLS.
      // Not where connections are cut: xmlhttprequest-ssl never sends a request again whose connection had been used and was reset, and
      // the client waits for its answer until the ping is late.
      ...(this.url.startsWith("https:") && { agent: new Agent({ keepAlive: this.url === urls[0] }) }),
      ...reconnection,
    });
    this.socket.on("connect", () => this.connections++);
    this.socket.on("ready", (state) => this.ready(state));
    this.socket.on("event", (event) => this.event(event));
    this.socket.on("room.added", ({ room }) => this.enter([room]));
    this.socket.on("room.removed", ({ room_id }) => this.leave(this.rooms.get(room_id)));
    this.socket.on("disconnect", (reason) => this.disconnected(reason));
    this.socket.on("connect_error", (error) => {
      if (error.data) this.problems.push({ connect_error: error.data });
    });
  }

  ready(state) {
    if (this.lostAt !== undefined) this.waits.push(performance.now() - this.lostAt);
    this.lostAt = undefined;
    this.isReady = true;
    for (const room of this.rooms.values()) if (!state.rooms.some(({ id }) => id === room.id)) this.leave(room);
    this.enter(state.rooms);
  }

  enter(rooms) {
    for (const { id, head } of rooms) {
      if (!this.rooms.has(id)) {
        this.rooms.set(id, { id, held: 0, known: 0, outbox: [], timer: undefined, stay: 1, view: new Map(), mine: [] });
        this.fill(this.rooms.get(id));
      }
      const room = this.rooms.get(id);
      room.known = Math.max(room.known, head);
      room.member = true;
    }
    this.sync();
    for (const room of this.rooms.values()) for (const entry of room.outbox) this.transmit(room, entry);
  }

  leave(room) {
    if (!room) return;
    room.member = false;
    this.waiting = false;
  }

  // Somebody is about to ask for the next stay in the room: what is heard from now on may belong to it.
  returning(room) {
    this.returns.push({ room_id: room.id, seq: room.held });
    room.stay++;
  }

  disconnected(reason) {
    this.isReady = false;
    this.lostAt ??= performance.now();
    // A stock client does not come back by itself from this, and the server must not use it for a restart.
    if (reason === "io server disconnect") this.problems.push({ disconnect: reason });
  }

  event(event) {
    const room = this.rooms.get(event.room_id);
    const stay = room?.stay ?? 1;
    const stream = `${this.connections} ${event.room_id} ${stay}`;
    if (!this.live.has(stream)) this.live.set(stream, [this.connections, event.room_id, stay, []]);
    this.live.get(stream)[3].push(event.seq);
    if (!room) return; // before `ready`: the sync after it brings it
    room.known = Math.max(room.known, event.seq);
    if (event.seq === room.held + 1) this.apply(room, event);
    else if (event.seq > room.held) this.sync();
  }

  apply(room, event) {
    room.held = event.seq;
    this.applied.push(placeEntry(event));
    const id = event.data.message_id ?? event.id;
    const before = this.state(room, id);
    const after = fold(before, event);
    if (after !== before) room.view.set(id, placeState(after));
  }

  state(room, id) {
    const place = room.view.get(id);
    return place === undefined ? undefined : JSON.parse(states.all[place]);
  }

  // One at a time. Live events that come meanwhile find their place after the answer, or in the next sync.
  async sync() {
    if (this.syncing) return;
    this.syncing = true;
    const behind = (room) => room.member && room.held < room.known;
    while (this.isReady && [...this.rooms.values()].some(behind)) {
      const asked = Object.fromEntries([...this.rooms.values()].filter(({ member }) => member).map((room) => [room.id, room.held]));
      let answer;
      try {
        answer = await this.socket.timeout(5000).emitWithAck("sync", { rooms: asked });
      } catch {
        continue; // disconnected, or no answer: once more
      }
      if (!answer.ok) {
        this.problems.push({ sync: answer.error });
        await new Promise((resolve) => setTimeout(resolve, 200));
        continue;
      }
      let news = 0;
      for (const [id, { events, reset, error }] of Object.entries(answer.rooms)) {
        const room = this.rooms.get(id);
        if (error && !room.comesAndGoes) this.problems.push({ sync: error });
        if (reset) news += await this.history(room);
        for (const event of events) {
          if (event.seq <= room.held) continue;
          this.apply(room, event);
          news++;
        }
      }
      if (!news) await new Promise((resolve) => setTimeout(resolve, 200));
    }
    this.syncing = false;
  }

  // All messages as they are, where that is too much for `sync`; returns how many events they stand for. Old ones may have changed, too.
  async history(room) {
    this.resets++;
    const view = new Map();
    let head, after, page;
    do {
      let said;
      try {
        const answer = await fetch(`${this.url}/api/rooms/${room.id}/messages?after=${after ?? 0}&limit=100`, {
          headers: { authorization: `Bearer ${this.token}` },
          signal: AbortSignal.timeout(5000),
        });
        said = await answer.json();
      } catch {
        return 0; // nobody answered, or no JSON: once more
      }
      if (said.error) {
        this.problems.push({ history: said.error });
        return 0;
      }
      page = said.messages;
      head ??= said.head; // every page has all that happened until here
      after = page[0]?.seq;
      for (const message of page) view.set(message.id, placeState(paged(message)));
    } while (page.length === 100);
    const news = head - room.held;
    if (news <= 0) return 0;
    this.skipped.push({ room_id: room.id, after: room.held, until: head });
    room.view = view;
    room.held = head;
    return news;
  }

  fill(room) {
    if (this.stopping) return;
    if (room.member && room.outbox.length < this.window) {
      const entry = { client_id: crypto.randomUUID(), ...this.next(room), connection: 0 };
      entry.said = { room_id: room.id, client_id: entry.client_id, ...entry.said };
      this.sent.push(entry.said);
      room.outbox.push(entry);
      this.transmit(room, entry);
    }
    room.timer = setTimeout(() => this.fill(room), pause * 2 * this.random());
  }

  // What to send next, as it is sent and as the log will have it: changes are edits by half, deletions and reactions; else messages.
  next(room) {
    const choice = this.random() / changes; // no number below 1 where there are none
    const text = `${this.number}: ${this.sent.length} ${"x".repeat(Math.floor(this.random() * 300))}`;
    const place = Math.floor(this.random() * room.mine.length);
    if (choice < 0.25 && room.mine.length) {
      const [id] = room.mine.splice(place, 1);
      return { event: "message.delete", id, said: { text: null, type: "message.deleted", message_id: id } };
    }
    if (choice < 0.75 && room.mine.length) {
      const id = room.mine[place];
      return { event: "message.edit", id, text, said: { text, type: "message.edited", message_id: id } };
    }
    if (choice < 1 && room.view.size) {
      const latest = [...room.view.keys()].slice(-5);
      const id = latest[Math.floor(this.random() * latest.length)];
      const on = !this.state(room, id).reactions.some(([, user]) => user === this.user);
      const type = on ? "reaction.added" : "reaction.removed";
      return { event: on ? "reaction.add" : "reaction.remove", id, emoji: "👍", said: { text: null, type, message_id: id } };
    }
    return { event: "message.send", text, said: { text } };
  }

  async transmit(room, entry) {
    if (!this.isReady || !room.member || entry.connection === this.connections) return;
    const connection = (entry.connection = this.connections);
    entry.since = performance.now();
    entry.told = undefined;
    let answer;
    try {
      answer = await this.socket.timeout(20_000).emitWithAck(entry.event, {
        room_id: room.id,
        client_id: entry.client_id,
        id: entry.id,
        text: entry.text,
        emoji: entry.emoji,
      });
    } catch {
      if (!this.isReady || connection !== this.connections) return; // `ready` sends it again
      this.problems.push({ unanswered: entry.client_id, at: Date.now() });
      entry.connection = 0;
      this.transmit(room, entry);
      return;
    }
    if (answer.ok) {
      this.waiting = false;
      this.acked.push({ room_id: room.id, client_id: entry.client_id, id: answer.id, seq: answer.seq });
      if (entry.event === "message.send") {
        this.messages++;
        room.mine.push(answer.id);
      }
      room.outbox = room.outbox.filter((other) => other !== entry);
    } else if (RETRY.has(answer.error.code)) {
      entry.told = answer.error.code;
      setTimeout(() => {
        if (entry.connection === connection) entry.connection = 0;
        this.transmit(room, entry);
      }, 100);
    } else {
      this.waiting = false;
      // Deleted by its author meanwhile, or removed from the room meanwhile: so it may be.
      const { code } = answer.error;
      entry.said.refused = (code === "message_deleted" && entry.event === "reaction.add") || (code === "room_not_found" && room.comesAndGoes);
      if (!entry.said.refused) this.problems.push({ refused: answer.error });
      room.outbox = room.outbox.filter((other) => other !== entry);
    }
  }

  mark() {
    this.waiting = [...this.rooms.values()].some((room) => room.member && room.outbox.length);
  }

  get settled() {
    const rooms = [...this.rooms.values()];
    return this.isReady && !this.syncing && rooms.every((room) => !room.member || (!room.outbox.length && room.held >= room.known));
  }

  get waitsForSomething() {
    return this.stopping ? !this.settled : !this.isReady || this.waiting;
  }

  explain() {
    const { number, user, isReady, syncing, connections, resets, socket, waiting } = this;
    const since = (at) => at && Math.round((performance.now() - at) / 100) / 10;
    const rooms = [...this.rooms.values()].map(({ id, held, known, outbox, member }) => ({
      id,
      member,
      held,
      known,
      outbox: outbox.map(({ client_id, connection, since: at, told }) => ({ client_id, connection, seconds: since(at), told })),
    }));
    const engine = socket.io.engine;
    const node = engine?.id?.split(".")[0]; // a session's id begins with its node's
    console.log(
      JSON.stringify({
        event: "unsettled",
        number,
        user,
        node,
        transport: engine?.transport?.name,
        connected: socket.connected,
        isReady,
        away_seconds: since(this.lostAt),
        waiting,
        syncing,
        connections,
        resets,
        rooms,
        problems: this.problems.slice(-5),
      }),
    );
  }

  // Have somebody removed from the room of this client, its owner, and added again.
  async comeAndGo(other) {
    while (!this.rooms.size || !other.rooms.size) await sleep(50);
    const [{ id }] = this.rooms.values();
    const room = other.rooms.get(id);
    room.comesAndGoes = true;
    while (!this.stopping) {
      await sleep(removal * (0.5 + this.random()));
      await this.change("DELETE", `/${other.user}`, id);
      await sleep(removal * this.random());
      other.returning(room);
      await this.change("POST", "", id, { user_id: other.user });
    }
  }

  // Until it is done, by this attempt or one of before.
  async change(method, path, room_id, body) {
    for (;;) {
      try {
        const answer = await fetch(`${urls[0]}/api/rooms/${room_id}/members${path}`, {
          method,
          headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(5000),
        });
        if (answer.ok) return;
        const { error } = await answer.json();
        if (error.code === "member_not_found") return;
        this.problems.push({ membership: error });
      } catch {
        // nobody answered, or no JSON: once more
      }
      await sleep(200);
    }
  }

  // The heads are asked for once more, since the last events of others may have been lost with a connection.
  async finish() {
    this.stopping = true;
    while (!this.settled) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async last() {
    this.socket.disconnect().connect();
    this.isReady = false;
    do await new Promise((resolve) => setTimeout(resolve, 20));
    while (!this.settled);
  }

  tell() {
    const { user, transports, connections, resets, sent, acked, applied, skipped, returns, problems, waits } = this;
    const live = [...this.live.values()];
    const shown = [...this.rooms.values()].flatMap(({ view }) => [...view.values()]);
    const seen = { applied, live, skipped, returns, shown };
    const history = { user, transports, connections, resets, sent, acked, ...seen, problems, waits };
    process.stdout.write(`${JSON.stringify({ event: "history", ...history })}\n`);
  }
}

const clients = users.map((user, number) => new Client(user, number));
const inRoom = (room) => clients.filter(({ first }) => first === room);
const groups = removal ? [...new Set(clients.map(({ first }) => first))].map(inRoom) : [];
const comings = groups.map((group) => group[0].comeAndGo(group.at(-1)));
let marks = 0;
let mark = { at: performance.now(), back: null, served: null };
const told = setInterval(() => {
  const back = clients.filter((client) => client.isReady).length;
  const served = clients.filter((client) => client.isReady && !client.waiting).length;
  const acked = clients.reduce((sum, client) => sum + client.messages, 0);
  const after = Math.round(performance.now() - mark.at) / 1000;
  if (back === clients.length) mark.back ??= after;
  if (served === clients.length) mark.served ??= after;
  const { back: back_after, served: served_after } = mark;
  console.log(JSON.stringify({ event: "progress", marks, back, served, acked, back_after, served_after }));
}, 50);
createInterface({ input: process.stdin })
  .on("line", async (line) => {
    if (line === "mark") {
      for (const client of clients) client.mark();
      marks++;
      mark = { at: performance.now(), back: null, served: null };
    }
    if (line === "explain") {
      for (const client of clients.filter((each) => each.waitsForSomething)) client.explain();
      console.log(JSON.stringify({ event: "explained" }));
    }
    if (line !== "stop") return;
    const finished = clients.map((client) => client.finish());
    await Promise.all(comings);
    await Promise.all(groups.map((group) => group.at(-1).last())); // it may send what it could not while it was out
    await Promise.all(finished);
    await Promise.all(clients.map((client) => client.last()));
    clearInterval(told);
    entries.tell();
    states.tell();
    for (const client of clients) client.tell();
    for (const client of clients) client.socket.disconnect();
    process.stdin.destroy();
  })
  .on("close", () => clients.every((client) => client.stopping) || process.exit(1));
