/** Makes the company on a server, over HTTP and sockets, each message at its time. */
import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";
import * as company from "./company.mjs";

export const PASSWORD = "seven green kettles";

/** One person at the server. */
export class Person {
  constructor(origin, username) {
    this.origin = origin;
    this.username = username;
  }

  async call(method, path, body) {
    const answer = await fetch(`${this.origin}/api${path}`, {
      method,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${this.token ?? ""}` },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  }

  async register(displayName) {
    const account = { username: this.username, email: `${this.username}@example.org`, password: PASSWORD };
    const { user, access_token } = await this.call("POST", "/auth/register", { ...account, display_name: displayName });
    this.id = user.id;
    this.token = access_token;
  }

  /** Anew each day: the server was told to make tokens that last one. */
  async login() {
    const { access_token } = await this.call("POST", "/auth/login", { login: this.username, password: PASSWORD });
    this.token = access_token;
  }

  async connect(state = "active") {
    this.socket = io(this.origin, { auth: { token: this.token }, transports: ["websocket"] });
    await new Promise((resolve, reject) => this.socket.once("ready", resolve).once("connect_error", reject));
    await this.socket.emitWithAck("presence.update", { state });
  }
}

async function register(origin) {
  const people = {};
  for (const [username, displayName] of Object.entries(company.PEOPLE)) {
    people[username] = new Person(origin, username);
    await people[username].register(displayName);
  }
  return people;
}

async function openRooms(people) {
  const rooms = {};
  for (const [name, { topic, members, kind = "public" }] of Object.entries(company.ROOMS)) {
    const [owner, ...others] = members.map((member) => people[member]);
    rooms[name] = await owner.call("POST", "/rooms", { name, topic, kind, members: others.map(({ id }) => id) });
  }
  for (const other of company.DIRECT) {
    const members = [people[other].id];
    rooms[`@${other}`] = await people[company.VIEWER].call("POST", "/rooms", { kind: "direct", members });
  }
  return rooms;
}

/** Everything that is said anywhere, in the order of its times. */
function script() {
  const said = [
    ...Object.entries(company.MESSAGES),
    ...Object.entries(company.DIRECT_MESSAGES).map(([name, messages]) => [`@${name}`, messages]),
  ].flatMap(([room, messages]) => messages.map(([when, who, text, then = {}]) => ({ room, when, who, text, then })));
  const minutes = ({ when }) => Number(when.split(" ")[0]) * 10_000 + Number(when.split(" ")[1].replace(":", ""));
  return said.sort((a, b) => minutes(a) - minutes(b));
}

async function say(people, rooms, known, { room, who, text, then }) {
  const path = `/rooms/${rooms[room].id}/messages`;
  const reply = then.reply && { reply_to: known[then.reply] };
  const body = { client_id: randomUUID(), text: then.edit ? text.replace(",", "") : text, ...reply };
  const { id } = await people[who].call("POST", path, body);
  if (then.id) known[then.id] = id;
  if (then.edit) await people[who].call("PATCH", `${path}/${id}`, { text });
  if (then.pin) await people[who].call("PUT", `${path}/${id}/pin`);
  for (const [emoji, by] of Object.entries(then.react ?? {}))
    for (const person of by) await people[person].call("PUT", `${path}/${id}/reactions/${encodeURIComponent(emoji)}`);
}

/** The caller rings the viewer and gives up. */
async function missCall(people, rooms) {
  const caller = people[company.CALLER];
  await caller.connect();
  const room_id = rooms[`@${company.CALLER}`].id;
  const { call } = await caller.socket.emitWithAck("call.start", { room_id, media: "video" });
  await caller.socket.emitWithAck("call.leave", { call_id: call.id });
  caller.socket.close();
}

async function markRead(viewer, rooms, name, until) {
  const { messages, head } = await viewer.call("GET", `/rooms/${rooms[name].id}/messages?limit=200`);
  const seen = messages.filter(({ at }) => until === undefined || at <= until);
  const seq = until === undefined ? head : Math.max(...seen.map((message) => message.seq));
  await viewer.call("PUT", `/rooms/${rooms[name].id}/read`, { seq });
}

async function ownView(viewer, rooms, timeOf) {
  const { rooms: own } = await viewer.call("GET", "/rooms");
  for (const name of Object.keys(rooms).filter((name) => own.some(({ id }) => id === rooms[name].id))) {
    const until = company.READ_UNTIL[name];
    const unread = ["@alexandra", "@priya"].includes(name);
    if (!unread) await markRead(viewer, rooms, name, until && timeOf(until));
  }
  for (const [name, text] of Object.entries(company.DRAFTS))
    await viewer.call("PUT", `/rooms/${rooms[name].id}/draft`, { text });
  for (const [name, level] of Object.entries(company.LEVELS))
    await viewer.call("PUT", `/rooms/${rooms[name].id}/notifications`, { level });
}

/** Returns the people, the rooms by name (`@name`: the viewer's conversation with) and the ids of the named messages. */
export async function fill({ origin, setClock }, timeOf) {
  const people = await register(origin);
  const rooms = await openRooms(people);
  const known = {};
  let missed = false;
  let day = "";
  for (const line of script()) {
    if (!missed && timeOf(line.when) > timeOf(company.MISSED_CALL_AT)) {
      await setClock(company.MISSED_CALL_AT);
      await missCall(people, rooms);
      missed = true;
    }
    await setClock(line.when);
    const [today] = line.when.split(" ");
    if (today !== day) for (const person of Object.values(people)) await person.login();
    day = today;
    await say(people, rooms, known, line);
  }
  await setClock(`0 ${company.NOW}`);
  await ownView(people[company.VIEWER], rooms, timeOf);
  for (const name of company.ONLINE) await people[name].connect();
  for (const name of company.IDLE) await people[name].connect("idle");
  return { people, rooms, known };
}
