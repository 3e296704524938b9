// The arguments that every reference server takes: --port N, and --ping-timeout N in milliseconds.
import { parseArgs } from "node:util";

const options = { port: { type: "string", default: "3000" }, "ping-timeout": { type: "string", default: "200" } };
const { values } = parseArgs({ options });

export const port = Number(values.port);

// The settings that the official test suites of both protocols expect.
export const SETTINGS = {
  pingInterval: 300,
  pingTimeout: Number(values["ping-timeout"]),
  maxHttpBufferSize: 1e6,
  connectTimeout: 1000,
  cors: { origin: "*" },
};
