// The original Engine.IO server, echoing every message: what tests/conformance/server.py --protocol engineio must equal.
import { listen } from "engine.io";
import { port, SETTINGS } from "./arguments.mjs";

const server = listen(port, SETTINGS);

server.on("connection", (socket) => {
  socket.on("data", (data) => socket.send(data));
});
