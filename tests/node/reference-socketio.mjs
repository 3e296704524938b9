// The original Socket.IO server: what tests/conformance/server.py --protocol socketio must equal.
import { Server } from "socket.io";
import { port, SETTINGS } from "./arguments.mjs";

const io = new Server(port, SETTINGS);

function serve(socket) {
  socket.emit("auth", socket.handshake.auth);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => args.pop()(...args));
}

io.on("connection", serve);
io.of("/custom").on("connection", serve);
