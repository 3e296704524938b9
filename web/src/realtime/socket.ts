/** The typed socket: carries out what connection.ts decides, with a fresh Socket.IO connection for each attempt. */

import { io, type Socket } from "socket.io-client";
import { ApiError } from "@/lib/http";
import { initialLink, step, type LinkEffect, type LinkInput, type LinkState, type Transport } from "./connection";
import type { ClientEvents, ErrorBody, Refused, ServerEvents } from "./schema.gen";
import type { Tokens } from "./tokens";

/** The server acknowledged, and said no. */
export class CommandRefused extends Error {
  override readonly name = "CommandRefused";
  constructor(readonly error: ErrorBody) {
    super(error.message);
  }
}

/** No acknowledgement came: nothing is known of what was done. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

type Listeners = { [Name in keyof ServerEvents]: (payload: ServerEvents[Name]) => void };

/** Any event of the server, for those who take them all in one place. */
export type ServerEvent = {
  [Name in keyof ServerEvents]: { name: Name; payload: ServerEvents[Name] };
}[keyof ServerEvents];

export interface LinkOptions {
  /** Of the server; empty for that of the page. */
  origin: string;
  tokens: Tokens;
  /** Never upgrade from long-polling. */
  pollingOnly: boolean;
  onState: (state: LinkState, retryAt: number | undefined) => void;
  onEvent: (event: ServerEvent) => void;
  /** The session is over; `reason` as `session.revoked` gives it, or a code of errors.md. */
  onEnded: (reason: string) => void;
}

const ANSWER_TIMEOUT = 20_000;
const OPEN_TIMEOUT = 15_000;
const PROBE_TIMEOUT = 5_000;
const RENEW_AGAIN = 10_000;
const GOING_AWAY = 1001; // RFC 6455 section 7.4.1: what a server says that shuts down

export class Link {
  #state = initialLink;
  #socket: Socket<Listeners> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #opening: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #retryAt: number | undefined;
  readonly #options: LinkOptions;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get online(): boolean {
    return this.#state.status === "online";
  }

  /** Tell what happened; see `LinkInput`. */
  input(input: LinkInput): void {
    const [state, effects] = step(this.#state, input, Math.random());
    this.#state = state;
    if (state.trying || state.status === "online") this.#stopWaiting();
    effects.forEach((effect) => this.#carryOut(effect));
    this.#options.onState(state, this.#retryAt);
  }

  /** Take over nothing any more. */
  close(): void {
    this.#stopWaiting();
    this.#drop();
  }

  /**
   * Send an event and wait for its acknowledgement.
   *
   * @throws {CommandRefused} the server said no
   * @throws {NoAnswer} offline, cut off, or no answer in time
   */
  async request<Name extends keyof ClientEvents>(
    name: Name,
    payload: ClientEvents[Name]["payload"],
    timeout = ANSWER_TIMEOUT,
  ): Promise<ClientEvents[Name]["answer"]> {
    const socket = this.#socket;
    if (socket === undefined || !this.online) throw new NoAnswer("There is no connection.");
    let answer: ClientEvents[Name]["answer"] | Refused;
    try {
      answer = (await emitter(socket).timeout(timeout).emitWithAck(name, payload)) as typeof answer;
    } catch (cause) {
      throw new NoAnswer("The server did not answer.", { cause });
    }
    if (!answer.ok) throw new CommandRefused(answer.error);
    return answer;
  }

  /** Send an event that may be lost. */
  volatile<Name extends keyof ClientEvents>(name: Name, payload: ClientEvents[Name]["payload"]): void {
    if (this.#socket !== undefined && this.online) emitter(this.#socket).volatile.emit(name, payload);
  }

  #carryOut(effect: LinkEffect): void {
    switch (effect.do) {
      case "connect":
        this.#connect(effect.transports);
        return;
      case "close":
        this.#drop();
        return;
      case "renew":
        this.#options.tokens.refuse();
        return;
      case "wait":
        this.#stopWaiting();
        this.#retryAt = Date.now() + effect.ms;
        this.#retry = setTimeout(() => this.input({ type: "due" }), effect.ms);
        return;
      case "probe":
        this.request("presence.update", { state: "active" }, PROBE_TIMEOUT).catch((error: unknown) => {
          if (error instanceof NoAnswer && this.online) this.#lost(false);
        });
        return;
    }
  }

  #connect(transports: Transport[]): void {
    this.#drop();
    const polling = this.#options.pollingOnly;
    const socket: Socket<Listeners> = io(this.#options.origin, {
      autoConnect: false,
      forceNew: true,
      reconnection: false,
      transports: polling ? ["polling"] : transports,
      upgrade: !polling,
      tryAllTransports: true,
      timeout: OPEN_TIMEOUT,
    });
    this.#socket = socket;
    this.#listen(socket);
    const failed = (details: { timedOut?: boolean; error?: ErrorBody }) => {
      if (socket !== this.#socket) return;
      this.#drop();
      this.input({ type: "failed", ...details });
    };
    socket.on("connect_error", (error: Error & { data?: ErrorBody }) => {
      if (error.data?.code === "session_revoked") this.#end("session_revoked");
      else failed(error.data === undefined ? { timedOut: error.message === "timeout" } : { error: error.data });
    });
    this.#opening = setTimeout(() => failed({ timedOut: true }), OPEN_TIMEOUT + 1_000);
    this.#options.tokens.get().then(
      (token) => {
        if (socket !== this.#socket) return;
        socket.auth = { token };
        socket.connect();
      },
      (error: unknown) => {
        failed(error instanceof ApiError && error.retryAfter !== undefined ? { error: bodyOf(error) } : {});
      },
    );
  }

  #listen(socket: Socket<Listeners>): void {
    const { onEvent } = this.#options;
    socket.on("ready", (payload) => {
      clearTimeout(this.#opening);
      const { engine } = socket.io;
      engine.on("upgrade", ({ name }) => this.input({ type: "transport", transport: transportOf(name) }));
      this.input({ type: "opened", transport: transportOf(engine.transport.name) });
      this.#renewLater();
      onEvent({ name: "ready", payload });
    });
    socket.on("auth.expiring", () => void this.#renew());
    socket.on("session.revoked", ({ reason }) => this.#end(reason));
    socket.on("socket.displaced", () => this.input({ type: "displaced" }));
    socket.onAny((name: ServerEvent["name"], payload: unknown) => {
      if (name !== "ready" && socket === this.#socket) onEvent({ name, payload } as ServerEvent);
    });
    socket.on("disconnect", (_reason, details) => {
      if (socket === this.#socket) this.#lost(closeCode(details) === GOING_AWAY);
    });
  }

  #lost(draining: boolean): void {
    const opened = this.online;
    this.#drop();
    this.input(opened ? { type: "lost", draining } : { type: "failed" });
  }

  #end(reason: string): void {
    this.input({ type: "ended" });
    this.#options.onEnded(reason);
  }

  #renewLater(): void {
    clearTimeout(this.#renewal);
    const at = this.#options.tokens.renewAt;
    if (at !== undefined) this.#renewal = setTimeout(() => void this.#renew(), Math.max(1_000, at - Date.now()));
  }

  async #renew(): Promise<void> {
    const socket = this.#socket;
    try {
      const token = await this.#options.tokens.get(true);
      if (socket !== this.#socket) return;
      await this.request("auth.renew", { token });
      this.#renewLater();
    } catch {
      // The server says `auth.expiring` once more in time, or closes the socket at the end, and the next one has a fresh token.
      if (socket === this.#socket && this.online) this.#renewal = setTimeout(() => void this.#renew(), RENEW_AGAIN);
    }
  }

  #stopWaiting(): void {
    clearTimeout(this.#retry);
    this.#retryAt = undefined;
  }

  #drop(): void {
    clearTimeout(this.#opening);
    clearTimeout(this.#renewal);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.removeAllListeners();
    socket?.offAny();
    socket?.disconnect();
  }
}

/** socket.io-client types what is sent by one map of listeners; ours are typed by `request` and `volatile`. */
function emitter(socket: Socket<Listeners>): Socket {
  return socket;
}

function bodyOf({ code, message, retryAfter = 0 }: ApiError): ErrorBody {
  return { code, message, retry_after: retryAfter };
}

function transportOf(name: string): Transport {
  return name === "websocket" ? "websocket" : "polling";
}

function closeCode(details: unknown): number | undefined {
  if (typeof details !== "object" || details === null || !("context" in details)) return undefined;
  const { context } = details;
  if (typeof context !== "object" || context === null || !("code" in context)) return undefined;
  return typeof context.code === "number" ? context.code : undefined;
}
