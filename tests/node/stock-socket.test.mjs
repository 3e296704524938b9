// The stock socket.io-client against the scenarios application. PARLOUR_URL, PARLOUR_TRANSPORTS (comma-separated).
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { io } from "socket.io-client";

const url = process.env.PARLOUR_URL;
const transports = process.env.PARLOUR_TRANSPORTS.split(",");
const clients = [];

function client(namespace = "/", options = {}) {
  const socket = io(url + namespace, { transports, forceNew: true, reconnection: false, ackTimeout: 10_000, ...options });
  clients.push(socket);
  return socket;
}

after(() => {
  for (const socket of clients) socket.close();
});

function next(socket, event, within = 10_000) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${event} within ${within} ms`)), within);
    socket.once(event, (...args) => {
      clearTimeout(late);
      resolve(args);
    });
  });
}

async function connected(namespace, options) {
  const socket = client(namespace, options);
  await next(socket, "connect");
  return socket;
}

// What a socket has been told up to now: an echo is the barrier, for the server keeps the order.
async function toldSoFar(socket, told) {
  await socket.emitWithAck("answer-many");
  return told.splice(0);
}

function listen(socket, event) {
  const heard = [];
  socket.on(event, (...args) => heard.push(args));
  return heard;
}

const bytes = (value) => [...Buffer.from(value)];

test("connects, with an id, and upgrades where it may", async () => {
  const socket = client();
  await next(socket, "connect");
  assert.equal(typeof socket.id, "string");
  const { engine } = socket.io;
  if (transports.length > 1 && engine.transport.name === "polling") await next(engine, "upgrade");
  assert.equal(engine.transport.name, transports.at(-1));
});

test("events carry any arguments both ways", async () => {
  const socket = await connected();
  const args = [1, "€ 😀", null, true, { a: [1, { b: 2 }] }, [], 1.5, "x".repeat(100_000)];
  socket.emit("echo", ...args);
  assert.deepEqual(await next(socket, "echo"), args);
});

test("events carry binary both ways", async () => {
  const socket = await connected();
  socket.emit("echo", Buffer.from([1, 2, 3]), { deep: [Buffer.alloc(100_000, 9)] }, "text");
  const [first, second, third] = await next(socket, "echo");
  assert.deepEqual(bytes(first), [1, 2, 3]);
  assert.ok(Buffer.from(second.deep[0]).equals(Buffer.alloc(100_000, 9)));
  assert.equal(third, "text");
});

test("the server acknowledges, in text and in binary", async () => {
  const socket = await connected();
  assert.equal(await socket.timeout(10_000).emitWithAck("add", 1, 2), 3);
  const answer = await new Promise((resolve, reject) => {
    socket.emit("answer-many", Buffer.from([5]), { x: 1 }, (error, ...args) => (error ? reject(error) : resolve(args)));
  });
  assert.deepEqual(bytes(answer[0]), [5]);
  assert.deepEqual(answer[1], { x: 1 });
});

test("many acknowledgements under way find their events", async () => {
  const socket = await connected();
  const sums = await Promise.all(Array.from({ length: 200 }, (_, n) => socket.emitWithAck("add", n, n)));
  assert.deepEqual(sums, Array.from({ length: 200 }, (_, n) => 2 * n));
});

test("the client acknowledges, in text and in binary", async () => {
  const socket = await connected();
  socket.on("question", (value, answer) => answer(value));
  socket.emit("ask", { n: 1 });
  assert.deepEqual(await next(socket, "answered"), [{ n: 1 }]);
  socket.emit("ask", Buffer.from([1, 2]));
  assert.deepEqual(bytes((await next(socket, "answered"))[0]), [1, 2]);
});

test("the server gives up on an acknowledgement that never comes", async () => {
  const socket = await connected();
  socket.emit("ask-in-vain");
  await next(socket, "gave-up");
});

test("namespaces share a connection and keep apart", async () => {
  const main = await connected();
  const dynamic = main.io.socket("/dynamic-1");
  clients.push(dynamic);
  await next(dynamic, "connect");
  assert.notEqual(main.id, dynamic.id);
  const strays = listen(main, "echo");
  dynamic.emit("echo", "here");
  assert.deepEqual(await next(dynamic, "echo"), ["here"]);
  await main.emitWithAck("add", 1, 1);
  assert.deepEqual(strays, []);
});

test("dynamic namespaces are one namespace a name", async () => {
  const [one, same, other] = await Promise.all(["/dynamic-21", "/dynamic-21", "/dynamic-22"].map((name) => connected(name)));
  const heard = [one, same, other].map((socket) => listen(socket, "told"));
  one.emit("tell-everyone", "hello");
  assert.deepEqual(await toldSoFar(one, heard[0]), [["hello"]]);
  assert.deepEqual(await toldSoFar(same, heard[1]), [["hello"]]);
  assert.deepEqual(await toldSoFar(other, heard[2]), []);
});

test("an unknown namespace is refused", async () => {
  const [error] = await next(client("/nowhere"), "connect_error");
  assert.equal(error.message, "Invalid namespace");
  const [mismatch] = await next(client("/dynamic-x"), "connect_error");
  assert.equal(mismatch.message, "Invalid namespace");
});

test("middleware refuses with a message and data", async () => {
  const [error] = await next(client("/guarded", { auth: { token: "wrong" } }), "connect_error");
  assert.equal(error.message, "not allowed");
  assert.deepEqual(error.data, { code: "unauthorized", given: "wrong" });
});

test("middleware lets a refused client in once its auth is right", async () => {
  const auth = {};
  const socket = client("/guarded", { auth: (give) => give(auth) });
  await next(socket, "connect_error");
  auth.token = "secret";
  socket.connect();
  await next(socket, "connect");
  assert.equal(await socket.emitWithAck("add", 2, 2), 4);
});

test("a room hears, the sender where it should, the excepted not", async () => {
  const [a, b, c, outsider] = await Promise.all(Array.from({ length: 4 }, () => connected()));
  const heard = [a, b, c, outsider].map((socket) => listen(socket, "told"));
  const room = `room-${a.id}`;
  await Promise.all([a, b, c].map((socket) => socket.emitWithAck("join", room)));
  const everyone = async () => Promise.all([a, b, c, outsider].map((socket, n) => toldSoFar(socket, heard[n])));

  a.emit("tell-others", room, "others");
  await a.emitWithAck("add", 0, 0);
  assert.deepEqual(await everyone(), [[], [["others"]], [["others"]], []]);

  a.emit("tell-all", room, "all", Buffer.from([1]));
  await a.emitWithAck("add", 0, 0);
  const all = await everyone();
  assert.deepEqual(all.map((told) => told.length), [1, 1, 1, 0]);
  assert.deepEqual(bytes(all[2][0][1]), [1]);

  a.emit("tell-except", room, b.id, "not b");
  await a.emitWithAck("add", 0, 0);
  assert.deepEqual(await everyone(), [[["not b"]], [], [["not b"]], []]);

  await c.emitWithAck("leave", room);
  a.emit("tell-all", room, "without c");
  await a.emitWithAck("add", 0, 0);
  assert.deepEqual(await everyone(), [[["without c"]], [["without c"]], [], []]);
});

test("a socket's own id is a room", async () => {
  const [a, b] = await Promise.all([connected(), connected()]);
  a.emit("tell-others", b.id, "privately");
  assert.deepEqual(await next(b, "told"), ["privately"]);
});

test("the server lists, asks and dismisses the sockets of a room", async () => {
  const [a, b, c] = await Promise.all(Array.from({ length: 3 }, () => connected()));
  const room = `listed-${a.id}`;
  await Promise.all([b, c].map((socket) => socket.emitWithAck("join", room)));
  assert.deepEqual(await a.emitWithAck("members", room), [b.id, c.id].sort());
  for (const socket of [b, c]) socket.on("question", (answer) => answer(socket.id));
  assert.deepEqual((await a.emitWithAck("ask-room", room)).sort(), [b.id, c.id].sort());
  const dismissed = [b, c].map((socket) => next(socket, "disconnect"));
  a.emit("kick", room, false);
  assert.deepEqual((await Promise.all(dismissed)).map(([reason]) => reason), ["io server disconnect", "io server disconnect"]);
  assert.deepEqual(await a.emitWithAck("members", room), []);
});

test("each side learns why the other has gone", async () => {
  const watcher = await connected();
  const gone = listen(watcher, "gone");
  const reasonOf = async (id) => {
    while (!gone.some(([who]) => who === id)) await next(watcher, "gone");
    return gone.find(([who]) => who === id)[1];
  };
  const leave = async (act) => {
    const socket = await connected();
    const { id } = socket;
    const disconnected = next(socket, "disconnect");
    act(socket);
    const [reason] = await disconnected;
    return [reason, await reasonOf(id)];
  };
  assert.deepEqual(await leave((socket) => socket.disconnect()), ["io client disconnect", "client namespace disconnect"]);
  assert.deepEqual(await leave((socket) => socket.emit("leave-me")), ["io server disconnect", "server namespace disconnect"]);
  const [closed, seen] = await leave((socket) => socket.emit("close-me"));
  assert.match(closed, /io server disconnect|transport close/);
  assert.equal(seen, "server namespace disconnect");
  assert.deepEqual(await leave((socket) => socket.io.engine.close()), ["forced close", "transport close"]);
});

test("a socket that left connects again with another id", async () => {
  const socket = await connected();
  const { id } = socket;
  const disconnected = next(socket, "disconnect");
  socket.emit("leave-me");
  await disconnected;
  socket.connect();
  await next(socket, "connect");
  assert.notEqual(socket.id, id);
  assert.equal(await socket.emitWithAck("add", 1, 1), 2);
});

test("1,000 events keep their order both ways, across an upgrade where there is one", async () => {
  const socket = client();
  const echoes = listen(socket, "echo");
  await next(socket, "connect");
  for (let batch = 0; batch < 20; batch++) {
    for (let n = batch * 50; n < batch * 50 + 50; n++) {
      if (n % 25) socket.emit("echo", n);
      else socket.emit("echo", n, Buffer.from([n % 256]));
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await socket.emitWithAck("add", 0, 0);
  assert.deepEqual(echoes.map(([n]) => n), Array.from({ length: 1000 }, (_, n) => n));
});

test("a burst of 1,000 from the server keeps its order", async () => {
  const socket = client();
  const ticks = listen(socket, "tick");
  await next(socket, "connect");
  socket.emit("burst", 1000);
  await socket.emitWithAck("add", 0, 0);
  assert.deepEqual(ticks, Array.from({ length: 1000 }, (_, n) => [n]));
});

test("events sent while disconnected go out on connecting", async () => {
  const socket = client("/", { autoConnect: false });
  const sum = socket.emitWithAck("add", 20, 3);
  socket.connect();
  assert.equal(await sum, 23);
});

test("a hundred clients share a room", async () => {
  const members = await Promise.all(Array.from({ length: 100 }, () => connected()));
  const room = `crowd-${members[0].id}`;
  await Promise.all(members.map((socket) => socket.emitWithAck("join", room)));
  const told = members.map((socket) => next(socket, "told"));
  members[7].emit("tell-all", room, "hello", { n: 1 });
  for (const args of await Promise.all(told)) assert.deepEqual(args, ["hello", { n: 1 }]);
});

test("an event near the maximum payload passes", async () => {
  const socket = await connected();
  const text = "x".repeat(900_000);
  assert.equal((await socket.emitWithAck("answer-many", text)).length, text.length);
});

test("an event beyond the maximum payload costs its sender the connection, nobody else", async () => {
  const [socket, other] = await Promise.all([connected(), connected()]);
  if (transports.length > 1 && socket.io.engine.transport.name === "polling") await next(socket.io.engine, "upgrade");
  const disconnected = next(socket, "disconnect");
  socket.emit("echo", "x".repeat(1_000_001));
  assert.match((await disconnected)[0], /transport (close|error)/);
  assert.equal(await other.emitWithAck("add", 1, 1), 2);
});
