// Two people who have nothing but fetch and socket.io-client: from registering to finding what was said.
// PARLOUR_URL, PARLOUR_TRANSPORTS (comma-separated). Prints what each step gave, a JSON line each.
import { io } from "socket.io-client";

const url = process.env.PARLOUR_URL;
const transports = process.env.PARLOUR_TRANSPORTS.split(",");
const say = (step, value) => console.log(JSON.stringify({ step, value }));

async function api(method, path, token, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const register = (username) =>
  api("POST", "/api/auth/register", null, { username, email: `${username}@example.org`, password: `kettle ${username} 42` });

function connect(token) {
  const socket = io(url, { auth: { token }, transports, forceNew: true });
  socket.on("connect_error", (error) => {
    throw error;
  });
  return socket;
}

const next = (socket, name, type) =>
  new Promise((resolve) => {
    socket.on(name, function listen(value) {
      if (type && value.type !== type) return;
      socket.off(name, listen);
      resolve(value);
    });
  });

const [ann, ben] = [await register("ann"), await register("ben")];
const room = await api("POST", "/api/rooms", ann.access_token, { name: "lunch", kind: "public" });
await api("POST", `/api/rooms/${room.id}/join`, ben.access_token);
const [mine, theirs] = [connect(ann.access_token), connect(ben.access_token)];
const [ready] = await Promise.all([next(mine, "ready"), next(theirs, "ready")]);
say("ready", ready.rooms.map(({ id, head }) => ({ id: id === room.id, head })));

const command = (fields) => ({ room_id: room.id, client_id: crypto.randomUUID(), ...fields });
const heard = next(theirs, "event", "message.created");
const sent = await mine.emitWithAck("message.send", command({ text: "Soup today, @ben?" }));
const message = await heard;
say("sent", { ok: sent.ok, same: message.id === sent.id && message.seq === sent.seq, text: message.data.text });
say("mentions", message.data.mentions.includes(ben.user.id));

const edited = next(theirs, "event", "message.edited");
await mine.emitWithAck("message.edit", command({ id: sent.id, text: "Minestrone today, @ben?" }));
say("edited", (await edited).data.text);

const reacted = next(mine, "event", "reaction.added");
await theirs.emitWithAck("reaction.add", command({ id: sent.id, emoji: "👍" }));
say("reacted", (await reacted).data.emoji);

const typing = next(mine, "typing");
theirs.emit("typing", { room_id: room.id, on: true });
say("typing", (await typing).user_id === ben.user.id);

const refused = await theirs.emitWithAck("message.edit", command({ id: sent.id, text: "Mine now" }));
say("refused", refused.error.code);

// What was just said can be found within a second.
let found = { hits: [] };
for (const end = Date.now() + 10_000; !found.hits.length && Date.now() < end; ) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  found = await api("GET", `/api/search?q=minestrone`, ben.access_token);
}
say("found", found.hits.length === 1);
const page = await api("GET", `/api/rooms/${room.id}/messages`, ben.access_token);
say("page", page.messages.map(({ text, reactions }) => ({ text, reactions: Object.keys(reactions ?? {}) })));
say("transport", [mine.io.engine.transport.name, theirs.io.engine.transport.name]);
mine.disconnect();
theirs.disconnect();
