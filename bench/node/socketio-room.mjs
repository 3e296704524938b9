// The peer: Socket.IO on Node with its default settings. `node socketio-room.mjs PORT`
// A socket joins the room that its auth names, and `msg` goes to all of the room.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http);

io.on("connection", (socket) => {
  const room = socket.handshake.auth.token ?? "all";
  socket.join(room);
  socket.on("msg", (text) => io.to(room).emit("msg", text));
});

http.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
