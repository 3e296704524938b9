// The stock engine.io-client against an echoing Engine.IO server. PARLOUR_URL, PARLOUR_TRANSPORTS (comma-separated).
import assert from "node:assert/strict";
import { test } from "node:test";
import { Socket } from "engine.io-client";

const url = process.env.PARLOUR_URL;
const transports = process.env.PARLOUR_TRANSPORTS.split(",");
const upgrades = transports.length > 1;

// An emitter of the browser's kind has no `once(signal)`, so events are awaited by hand, with a deadline.
function next(socket, event) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${event} within 10 s`)), 10_000);
    socket.once(event, (...args) => {
      clearTimeout(late);
      resolve(args);
    });
  });
}

function collect(socket, count) {
  return new Promise((resolve, reject) => {
    const got = [];
    const late = setTimeout(() => reject(new Error(`${got.length} of ${count} messages within 20 s`)), 20_000);
    socket.on("message", (data) => {
      got.push(data);
      if (got.length === count) {
        clearTimeout(late);
        resolve(got);
      }
    });
  });
}

async function open() {
  const socket = new Socket(url, { transports });
  await next(socket, "open");
  return socket;
}

async function close(socket) {
  const closed = next(socket, "close");
  socket.close();
  await closed;
}

test("opens, and upgrades where it may", async () => {
  const socket = new Socket(url, { transports });
  const upgraded = upgrades ? next(socket, "upgrade") : undefined;
  await next(socket, "open");
  if (upgrades) {
    const [transport] = await upgraded;
    assert.equal(transport.name, "websocket");
  }
  assert.equal(socket.transport.name, transports.at(-1));
  await close(socket);
});

test("text comes back", async () => {
  const socket = await open();
  const texts = ["hello", "", "€ ünï 😀 漢字", "x".repeat(100_000)];
  const echoes = collect(socket, texts.length);
  for (const text of texts) socket.send(text);
  // An empty packet has no data at all once it is decoded.
  assert.deepEqual((await echoes).map((data) => data ?? ""), texts);
  await close(socket);
});

test("binary comes back", async () => {
  const socket = await open();
  const echoes = collect(socket, 2);
  socket.send(Buffer.from([0, 1, 2, 254, 255]));
  socket.send(Buffer.alloc(200_000, 7));
  const [small, large] = (await echoes).map((data) => Buffer.from(data));
  assert.deepEqual([...small], [0, 1, 2, 254, 255]);
  assert.ok(large.equals(Buffer.alloc(200_000, 7)));
  await close(socket);
});

test("1,000 messages keep their order, across an upgrade where there is one", async () => {
  const socket = new Socket(url, { transports });
  const echoes = collect(socket, 1000);
  await next(socket, "open");
  for (let batch = 0; batch < 20; batch++) {
    for (let number = 0; number < 50; number++) {
      const n = batch * 50 + number;
      socket.send(n % 10 ? String(n) : Buffer.from(String(n)));
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const got = (await echoes).map((data) => Number(Buffer.from(data).toString()));
  assert.deepEqual(got, Array.from({ length: 1000 }, (_, n) => n));
  assert.equal(socket.transport.name, transports.at(-1));
  await close(socket);
});

test("a session outlives several heartbeats", async () => {
  const socket = await open();
  let pings = 0;
  await new Promise((resolve) => {
    socket.on("ping", () => {
      pings += 1;
      if (pings === 4) resolve();
    });
  });
  const echo = collect(socket, 1);
  socket.send("still here");
  assert.deepEqual(await echo, ["still here"]);
  await close(socket);
});

test("ten clients at once each get their own", async () => {
  const sockets = await Promise.all(Array.from({ length: 10 }, open));
  const echoes = sockets.map((socket) => collect(socket, 2));
  sockets.forEach((socket, n) => {
    socket.send(`a${n}`);
    socket.send(`b${n}`);
  });
  assert.deepEqual(await Promise.all(echoes), sockets.map((_, n) => [`a${n}`, `b${n}`]));
  await Promise.all(sockets.map(close));
});

test("what is sent before closing arrives", async () => {
  const socket = await open();
  const echo = collect(socket, 1);
  socket.send("last words");
  assert.deepEqual(await echo, ["last words"]);
  await close(socket);
});

if (!upgrades) {
  test("more than the maximum payload ends the connection", async () => {
    const socket = await open();
    const closed = next(socket, "close");
    socket.send("x".repeat(1_000_001));
    const [reason] = await closed;
    assert.match(reason, /transport (close|error)/);
  });
}
