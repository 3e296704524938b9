// The one argument that every reference server takes: --port N.
import { parseArgs } from "node:util";

export const port = Number(parseArgs({ options: { port: { type: "string", default: "3000" } } }).values.port);

// The settings that the official test suites of both protocols expect.
export const SETTINGS = {
  pingInterval: 300,
  pingTimeout: 200,
  maxHttpBufferSize: 1e6,
  connectTimeout: 1000,
  cors: { origin: "*" },
};
