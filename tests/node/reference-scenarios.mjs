// The same little application as tests/integration/realtime/servers/scenarios.py, on the original Socket.IO server.
import { Server } from "socket.io";
import { port } from "./arguments.mjs";

const io = new Server(port, {
  cors: { origin: ["http://allowed.example"], credentials: true },
  cookie: { name: "session", httpOnly: true, sameSite: "lax" },
  maxHttpBufferSize: 1e6,
});

function serve(socket) {
  const namespace = socket.nsp;

  socket.on("disconnect", (reason) => namespace.emit("gone", socket.id, reason));
  socket.on("echo", (...args) => socket.emit("echo", ...args));
  socket.on("add", (a, b, answer) => answer(a + b));
  socket.on("answer-many", (...args) => args.pop()(...args));
  socket.on("ask", async (...args) => {
    const answer = await socket.timeout(5000).emitWithAck("question", ...args);
    socket.emit("answered", answer);
  });
  socket.on("ask-in-vain", async () => {
    try {
      await socket.timeout(50).emitWithAck("question-ignored");
    } catch {
      socket.emit("gave-up");
    }
  });
  socket.on("join", (room, answer) => {
    socket.join(room);
    answer();
  });
  socket.on("leave", (room, answer) => {
    socket.leave(room);
    answer();
  });
  socket.on("tell-others", (room, ...args) => socket.to(room).emit("told", ...args));
  socket.on("tell-all", (room, ...args) => namespace.to(room).emit("told", ...args));
  socket.on("tell-except", (room, except, ...args) => namespace.to(room).except(except).emit("told", ...args));
  socket.on("tell-everyone", (...args) => namespace.emit("told", ...args));
  socket.on("members", async (room, answer) => {
    const sockets = await namespace.in(room).fetchSockets();
    answer(sockets.map((member) => member.id).sort());
  });
  socket.on("ask-room", async (room, answer) => answer(await namespace.to(room).timeout(1000).emitWithAck("question")));
  socket.on("kick", (room, close) => namespace.in(room).disconnectSockets(close));
  socket.on("leave-me", () => socket.disconnect());
  socket.on("close-me", () => socket.disconnect(true));
  socket.on("burst", (count) => {
    for (let number = 0; number < count; number++) socket.emit("tick", number);
  });
}

io.on("connection", serve);
io.of(/^\/dynamic-\d+$/).on("connection", serve);
io.of("/guarded").use((socket, next) => {
  if (socket.handshake.auth.token === "secret") return next();
  const refusal = new Error("not allowed");
  refusal.data = { code: "unauthorized", given: socket.handshake.auth.token ?? null };
  next(refusal);
});
io.of("/guarded").on("connection", serve);
