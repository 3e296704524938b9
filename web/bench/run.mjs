// Measures the built client in a real Chromium: started by `python -m bench.web`, which gives it the server on standard input.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const { module } = await runnerImport(fileURLToPath(new URL("main.ts", import.meta.url)), {
  configFile: false,
  logLevel: "error",
});
await module.main();
