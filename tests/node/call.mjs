// Two people who have nothing but fetch and socket.io-client call each other: ring, answer, negotiate, mute, hang up.
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

const next = (socket, name, wanted = () => true) =>
  new Promise((resolve) => {
    socket.on(name, function listen(value) {
      if (!wanted(value)) return;
      socket.off(name, listen);
      resolve(value);
    });
  });

const [ann, ben] = [await register("ann"), await register("ben")];
const room = await api("POST", "/api/rooms", ann.access_token, { kind: "direct", members: [ben.user.id] });
const [mine, theirs] = [connect(ann.access_token), connect(ben.access_token)];
await Promise.all([next(mine, "ready"), next(theirs, "ready")]);

const ringing = next(theirs, "call.ringing");
const started = await mine.emitWithAck("call.start", { room_id: room.id, media: "video" });
const { call } = await ringing;
say("ringing", { same: call.id === started.call.id, state: call.state, media: call.media, by: call.started_by === ann.user.id });

const arrived = next(mine, "call.participant.joined");
const joined = await theirs.emitWithAck("call.join", { call_id: call.id });
const { participant } = await arrived;
say("joined", { same: participant.id === joined.participant_id, state: joined.call.state, two: joined.participants.length });

const negotiate = async (from, to, target, description) => {
  const heard = next(to, "call.signal", (signal) => signal.description);
  const ack = await from.emitWithAck("call.signal", { call_id: call.id, to: target, description });
  return ack.ok && (await heard).description.sdp;
};
say("offer", await negotiate(mine, theirs, joined.participant_id, { type: "offer", sdp: "v=0 offer" }));
say("answer", await negotiate(theirs, mine, started.participant_id, { type: "answer", sdp: "v=0 answer" }));
const candidate = { candidate: "candidate:1 1 UDP 1 192.0.2.1 1 typ host", sdpMid: "0", sdpMLineIndex: 0 };
const trickled = next(theirs, "call.signal", (signal) => signal.candidate);
await mine.emitWithAck("call.signal", { call_id: call.id, to: joined.participant_id, candidate });
say("candidate", (await trickled).candidate);

const muted = next(mine, "call.participant.updated");
await theirs.emitWithAck("call.mute", { call_id: call.id, audio: false });
say("muted", (await muted).participant.audio === false);

const present = await api("GET", `/api/rooms/${room.id}/call`, ben.access_token);
say("present", { same: present.call.id === call.id, two: present.participants.length });

const [ended, logged] = [next(theirs, "call.ended"), next(theirs, "event", (event) => event.type === "call.ended")];
await mine.emitWithAck("call.leave", { call_id: call.id });
say("ended", { reason: (await ended).reason, missed: (await logged).data.missed });
const refused = await mine.emitWithAck("call.join", { call_id: call.id });
say("refused", refused.error.code);
mine.disconnect();
theirs.disconnect();
