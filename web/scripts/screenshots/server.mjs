/** The real `parlour serve` on a free port with a fresh folder, its wall clock where the story is. */
import { spawn } from "node:child_process";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TODAY, UTC_OFFSET } from "./company.mjs";

const PYTHON = fileURLToPath(new URL("../../../.venv/bin/python", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../../../scripts/serve_at.py", import.meta.url));
const READY_WITHIN = 45_000;
const DAY = 86_400_000;

/** `-1 16:02`, the day counted from today, as milliseconds UTC. */
export function timeOf(when) {
  const [day, time] = when.split(" ");
  return Date.parse(`${TODAY}T${time}:00${UTC_OFFSET}`) + Number(day) * DAY;
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

export async function startServer() {
  const folder = await mkdtemp(join(tmpdir(), "parlour-pictures-"));
  const clock = join(folder, "clock");
  const setClock = async (when) => {
    await writeFile(`${clock}.new`, String(timeOf(when)));
    await rename(`${clock}.new`, clock);
  };
  await setClock("-30 09:00");
  const port = await freePort();
  const process_ = spawn(
    PYTHON,
    [PROGRAM, clock, "serve", "--port", String(port), "--data-dir", join(folder, "data")],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, PARLOUR_LOG_LEVEL: "error", PARLOUR_ACCESS_TOKEN_SECONDS: String(DAY / 1_000) },
    },
  );
  const ended = new Promise((resolve) => process_.once("exit", resolve));
  const origin = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + READY_WITHIN;
  while (
    !(await fetch(`${origin}/health/ready`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (process_.exitCode !== null) throw new Error(`parlour serve ended with ${process_.exitCode}`);
    if (Date.now() > deadline) throw new Error("parlour serve does not become ready");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const stop = async () => {
    process_.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true });
  };
  return { origin, setClock, stop };
}
