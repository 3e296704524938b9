// Two tabs of one user, of which the second goes and comes back in the middle of a burst, again and again; both do what
// docs/reference/events.md says to miss nothing. Ends when both hold PARLOUR_LAST, and prints what each applied, and how.
// PARLOUR_URL, PARLOUR_TOKEN, PARLOUR_ROOM, PARLOUR_LAST (a seq), PARLOUR_TRANSPORTS (comma-separated).
import { io } from "socket.io-client";

const { PARLOUR_URL, PARLOUR_TOKEN: token, PARLOUR_ROOM: room } = process.env;
const last = Number(process.env.PARLOUR_LAST);
const transports = process.env.PARLOUR_TRANSPORTS.split(",");

class Tab {
  constructor(name) {
    this.name = name;
    this.applied = [];
    this.held = 0;
    this.pending = [];
    this.caughtUp = false;
    this.live = 0;
    this.synced = 0;
    this.connections = 0;
    this.socket = io(PARLOUR_URL, { auth: { token }, transports, forceNew: true, reconnectionDelay: 20 });
    this.socket.on("ready", () => this.ready());
    this.socket.on("event", (event) => this.event(event));
    this.socket.on("disconnect", () => {
      this.caughtUp = false;
      this.pending = [];
    });
  }

  // `ready` is a snapshot of the room as it was at its head: what lies above comes live, perhaps before it, the rest by `sync`.
  async ready() {
    this.connections++;
    let answer;
    try {
      answer = await this.socket.emitWithAck("sync", { rooms: { [room]: this.held } });
    } catch {
      return; // disconnected: the next `ready` is on its way
    }
    for (const event of answer.rooms[room].events) if (this.apply(event)) this.synced++;
    this.caughtUp = true;
    for (const event of this.pending.splice(0)) if (this.apply(event)) this.live++;
    this.settle();
  }

  event(event) {
    if (!this.caughtUp) this.pending.push(event);
    else if (this.apply(event)) this.live++;
    this.settle();
  }

  apply({ seq, id }) {
    if (seq <= this.held) return false;
    this.held = seq;
    this.applied.push([seq, id]);
    return true;
  }

  settle() {
    if (this.held >= last && tabs.every(({ held }) => held >= last)) finish();
  }
}

const tabs = ["first", "second"].map((name) => new Tab(name));
tabs[0].socket.once("ready", () => console.log(JSON.stringify({ event: "listening" })));

// Closing the engine, not the socket: a lost network, after which the stock client comes back by itself.
const breaking = setInterval(() => tabs[1].socket.connected && tabs[1].held && tabs[1].socket.io.engine.close(), 60);

function finish() {
  clearInterval(breaking);
  for (const { name, applied, live, synced, connections, socket } of tabs) {
    socket.disconnect();
    console.log(JSON.stringify({ event: "tab", name, applied, live, synced, connections }));
  }
  process.exit(0);
}
