/** The real `parlour serve` in a process of its own, and a network between it and the clients that can be cut. */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../../../.venv/bin/parlour", import.meta.url));
const READY_WITHIN = 90_000;

export class ParlourServer {
  readonly #folder = mkdtempSync(join(tmpdir(), "parlour-web-"));
  readonly #settings: Record<string, string>;
  #process: ChildProcess | undefined;

  constructor(
    readonly port: number, // a freePort()
    settings: Record<string, string> = {},
  ) {
    this.#settings = settings;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const process_ = spawn(PROGRAM, ["serve", "--port", String(this.port), "--data-dir", this.#folder], {
      env: { ...process.env, ...this.#settings },
      stdio: "ignore",
    });
    this.#process = process_;
    const deadline = Date.now() + READY_WITHIN;
    while (!(await this.#isReady())) {
      if (process_.exitCode !== null) throw new Error(`parlour serve ended with ${process_.exitCode}`);
      if (Date.now() > deadline) throw new Error("parlour serve does not become ready");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** End the process: at once, or after it has sent everybody away. */
  async stop(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running?.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await ended;
  }

  /** Copy the data of a server that is stopped; returns what puts the copy in the place of the data, once it is stopped again. */
  backUp(): () => void {
    const copy = `${this.#folder}-backup`;
    cpSync(this.#folder, copy, { recursive: true });
    return () => {
      rmSync(this.#folder, { recursive: true });
      cpSync(copy, this.#folder, { recursive: true });
    };
  }

  /** Run `parlour admin` on the server's data. */
  #admin(...command: string[]): void {
    execFileSync(PROGRAM, ["admin", ...command, "--data-dir", this.#folder], { stdio: "ignore" });
  }

  /** Back up by `parlour admin`; returns what restores the backup, once the server is stopped. */
  backUpByCommand(): () => void {
    const folder = `${this.#folder}-backup-by-command`;
    this.#admin("backup", folder);
    return () => this.#admin("restore", folder, "--replace");
  }

  async remove(): Promise<void> {
    await this.stop();
    for (const folder of ["", "-backup", "-backup-by-command"].map((end) => this.#folder + end))
      rmSync(folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.origin}/health/ready`)).ok;
    } catch {
      return false;
    }
  }
}

/** A port that nobody listens on now. Below what the system gives to clients, so that a server that was stopped finds it free again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}

/** One client's way to the server. */
export class Wire {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #cut = false;
  port = 0;

  constructor(to: number) {
    this.#server = createServer((near) => {
      if (this.#cut) {
        near.destroy();
        return;
      }
      const far = connect(to, "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(one);
        one.setNoDelay(true);
        one.pipe(other);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.#open.delete(one);
          other.destroy();
        });
      }
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (typeof address === "object" && address !== null) this.port = address.port;
    return this;
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#open) socket.destroy();
  }

  mend(): void {
    this.#cut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
