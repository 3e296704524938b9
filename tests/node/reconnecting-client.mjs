// A stock client that reports what happens to it, a JSON line each, until its standard input closes.
// PARLOUR_URL, PARLOUR_TRANSPORTS (comma-separated), PARLOUR_CLIENTS (how many).
import { io } from "socket.io-client";

const transports = process.env.PARLOUR_TRANSPORTS.split(",");
const count = Number(process.env.PARLOUR_CLIENTS ?? 1);

for (let number = 0; number < count; number++) {
  const report = (event, detail) => console.log(JSON.stringify({ client: number, event, detail }));
  const socket = io(process.env.PARLOUR_URL, { transports, forceNew: true });
  socket.on("connect", async () => {
    report("connect", socket.id);
    report("sum", await socket.timeout(10_000).emitWithAck("add", number, 1));
  });
  socket.on("disconnect", (reason) => report("disconnect", reason));
}

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
