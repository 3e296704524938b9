// Stock clients that send without pause, resend until acknowledged and sync what they missed (or, where that is too much, fetch it as
// history), as docs/reference/events.md says. What each sent, was acknowledged, applied and saw live goes to standard output at the end: first every event that somebody
// applied, in lines {event: "entries", entries}, then a line a client, whose `applied` are places in those and whose `live` are
// [connection, room, [seq, …]].
// Commands on standard input: `mark` (count anew who is served: ready, and something acknowledged where something waited; `progress` tells
// how many seconds after it all were back, and were served), `explain` (tell what those wait for who wait, then `explained`), `stop` (send no more, empty the outbox, sync a last time, report, exit); its end exits at once.
// PARLOUR_URL (several, by spaces, are for one client after the other), PARLOUR_TOKENS (JSON lines: user_id, access_token), PARLOUR_SEED, PARLOUR_PAUSE (mean ms between sends),
// PARLOUR_RECONNECTION (`stock`, `brisk`: up to 2 s, or `fast`: 30 to 120 ms).
import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const users = readFileSync(process.env.PARLOUR_TOKENS, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const urls = process.env.PARLOUR_URL.split(" ");
const pause = Number(process.env.PARLOUR_PAUSE);
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

// Events as they were applied, each kept once: two that are to be the same and are not are two.
class Entries {
  constructor() {
    this.all = [];
    this.places = new Map();
  }

  place(event) {
    const { room_id, seq, id, sender_id, client_id } = event;
    const entry = JSON.stringify({ room_id, seq, id, sender_id, client_id, text: event.data.text ?? null });
    const key = `${room_id} ${seq}`;
    const alike = this.places.get(key) ?? [];
    const found = alike.find((place) => this.all[place] === entry);
    if (found !== undefined) return found;
    this.places.set(key, [...alike, this.all.length]);
    return this.all.push(entry) - 1;
  }

  tell() {
    for (let start = 0; start < this.all.length; start += 1000)
      process.stdout.write(`{"event": "entries", "entries": [${this.all.slice(start, start + 1000)}]}\n`);
  }
}

const entries = new Entries();

class Client {
  constructor(user, number) {
    this.number = number;
    this.url = urls[number % urls.length];
    this.user = user.user_id;
    this.token = user.access_token;
    this.random = randomness(Number(process.env.PARLOUR_SEED) * 1000 + number);
    this.transports = number % 2 ? ["websocket"] : ["polling", "websocket"];
    this.window = number % 3 === 0 ? 1 : 4;
    this.rooms = new Map();
    this.sent = [];
    this.acked = [];
    this.applied = [];
    this.live = new Map();
    this.problems = [];
    this.waits = [];
    this.connections = 0;
    this.resets = 0;
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
    this.socket.on("disconnect", (reason) => this.disconnected(reason));
    this.socket.on("connect_error", (error) => {
      if (error.data) this.problems.push({ connect_error: error.data });
    });
  }

  ready(state) {
    if (this.lostAt !== undefined) this.waits.push(performance.now() - this.lostAt);
    this.lostAt = undefined;
    for (const { id, head } of state.rooms) {
      if (!this.rooms.has(id)) {
        this.rooms.set(id, { id, held: 0, known: 0, outbox: [], timer: undefined });
        this.fill(this.rooms.get(id));
      }
      const room = this.rooms.get(id);
      room.known = Math.max(room.known, head);
    }
    this.isReady = true;
    this.sync();
    for (const room of this.rooms.values()) for (const entry of room.outbox) this.transmit(room, entry);
  }

  disconnected(reason) {
    this.isReady = false;
    this.lostAt ??= performance.now();
    // A stock client does not come back by itself from this, and the server must not use it for a restart.
    if (reason === "io server disconnect") this.problems.push({ disconnect: reason });
  }

  event(event) {
    const stream = `${this.connections} ${event.room_id}`;
    if (!this.live.has(stream)) this.live.set(stream, [this.connections, event.room_id, []]);
    this.live.get(stream)[2].push(event.seq);
    const room = this.rooms.get(event.room_id);
    if (!room) return; // before `ready`: the sync after it brings it
    room.known = Math.max(room.known, event.seq);
    if (event.seq === room.held + 1) this.apply(room, event);
    else if (event.seq > room.held) this.sync();
  }

  apply(room, event) {
    room.held = event.seq;
    this.applied.push(entries.place(event));
  }

  // One at a time. Live events that come meanwhile find their place after the answer, or in the next sync.
  async sync() {
    if (this.syncing) return;
    this.syncing = true;
    while (this.isReady && [...this.rooms.values()].some((room) => room.held < room.known)) {
      const asked = Object.fromEntries([...this.rooms.values()].map((room) => [room.id, room.held]));
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
        if (error) this.problems.push({ sync: error });
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

  // The next page of what is too much for `sync`; returns how many messages it had. In these rooms every event is a message.
  async history(room) {
    this.resets++;
    let said;
    try {
      const answer = await fetch(`${this.url}/api/rooms/${room.id}/messages?after=${room.held}&limit=100`, {
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
    const missed = said.messages.reverse().filter(({ seq }) => seq > room.held);
    for (const { text, ...message } of missed) this.apply(room, { ...message, data: { text } });
    return missed.length;
  }

  fill(room) {
    if (this.stopping) return;
    if (room.outbox.length < this.window) {
      const text = `${this.number}: ${this.sent.length} ${"x".repeat(Math.floor(this.random() * 300))}`;
      const entry = { client_id: crypto.randomUUID(), text, connection: 0 };
      this.sent.push({ room_id: room.id, client_id: entry.client_id, text });
      room.outbox.push(entry);
      this.transmit(room, entry);
    }
    room.timer = setTimeout(() => this.fill(room), pause * 2 * this.random());
  }

  async transmit(room, entry) {
    if (!this.isReady || entry.connection === this.connections) return;
    const connection = (entry.connection = this.connections);
    entry.since = performance.now();
    entry.told = undefined;
    let answer;
    try {
      answer = await this.socket.timeout(20_000).emitWithAck("message.send", {
        room_id: room.id,
        client_id: entry.client_id,
        text: entry.text,
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
      room.outbox = room.outbox.filter((other) => other !== entry);
    } else if (RETRY.has(answer.error.code)) {
      entry.told = answer.error.code;
      setTimeout(() => {
        if (entry.connection === connection) entry.connection = 0;
        this.transmit(room, entry);
      }, 100);
    } else {
      this.waiting = false;
      this.problems.push({ refused: answer.error });
      room.outbox = room.outbox.filter((other) => other !== entry);
    }
  }

  mark() {
    this.waiting = [...this.rooms.values()].some((room) => room.outbox.length);
  }

  get settled() {
    const rooms = [...this.rooms.values()];
    return this.isReady && !this.syncing && rooms.every((room) => !room.outbox.length && room.held >= room.known);
  }

  get waitsForSomething() {
    return this.stopping ? !this.settled : !this.isReady || this.waiting;
  }

  explain() {
    const { number, user, isReady, syncing, connections, resets, socket, waiting } = this;
    const since = (at) => at && Math.round((performance.now() - at) / 100) / 10;
    const rooms = [...this.rooms.values()].map(({ id, held, known, outbox }) => ({
      id,
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
    const { user, transports, connections, resets, sent, acked, applied, problems, waits } = this;
    const live = [...this.live.values()];
    const history = { user, transports, connections, resets, sent, acked, applied, live, problems, waits };
    process.stdout.write(`${JSON.stringify({ event: "history", ...history })}\n`);
  }
}

const clients = users.map((user, number) => new Client(user, number));
let marks = 0;
let mark = { at: performance.now(), back: null, served: null };
const told = setInterval(() => {
  const back = clients.filter((client) => client.isReady).length;
  const served = clients.filter((client) => client.isReady && !client.waiting).length;
  const acked = clients.reduce((sum, client) => sum + client.acked.length, 0);
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
    await Promise.all(clients.map((client) => client.finish()));
    await Promise.all(clients.map((client) => client.last()));
    clearInterval(told);
    entries.tell();
    for (const client of clients) client.tell();
    for (const client of clients) client.socket.disconnect();
    process.stdin.destroy();
  })
  .on("close", () => clients.every((client) => client.stopping) || process.exit(1));
