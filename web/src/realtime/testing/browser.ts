/** A browser with one person in front of it, in Node: cookies, storage and locks of its own, a wire that can be cut. */

import { ApiError, type RequestOptions } from "@/lib/http";
import { Account, type Notes } from "../account";
import type { Client } from "../client";
import type { Http } from "../environment";
import type { ErrorBody, GrantAnswer } from "../schema.gen";
import { createStores, type Stores } from "../stores";
import type { TimelineMessage } from "../types";
import { FakeLocks } from "./locks";
import { Wire } from "./parlour-server";

export class Browser {
  readonly wire: Wire;
  stores: Stores = createStores();
  #account: Account | undefined;
  readonly #locks = new FakeLocks();
  readonly #cookies = new Map<string, string>();
  readonly #notes = notes();

  private constructor(wire: Wire) {
    this.wire = wire;
  }

  static async open(port: number): Promise<Browser> {
    return new Browser(await new Wire(port).start());
  }

  get client(): Client {
    const opened = this.#account?.client;
    if (opened === undefined) throw new Error("nobody is signed in");
    return opened;
  }

  get userId(): string {
    return this.stores.session.getState().session?.user.id ?? "";
  }

  readonly http: Http = {
    get: (path, options) => this.#request("GET", path, undefined, options),
    post: (path, body, options) => this.#request("POST", path, body, options),
    put: (path, body, options) => this.#request("PUT", path, body, options),
  };

  async register(username: string): Promise<void> {
    const body = { username, email: `${username}@example.org`, password: "correct horse battery", cookie: true };
    const grant = await this.http.post<GrantAnswer>("/api/auth/register", body, { anonymous: true });
    this.#begin();
    await this.#account?.start(grant);
  }

  /** What a reload does: the page is gone, its memory too, and the next one begins with what the browser keeps. */
  async reload({ pollingOnly = false } = {}): Promise<void> {
    this.crash();
    this.stores = createStores();
    this.#begin(pollingOnly);
    await this.#account?.resume();
  }

  /** The page is gone from one moment to the next. */
  crash(): void {
    this.#account?.client?.close();
    this.#account = undefined;
  }

  async signOut(): Promise<void> {
    await this.#account?.end();
  }

  /** What a person sees of a room. */
  messages(roomId: string): readonly TimelineMessage[] {
    this.client.timelines.flush();
    return this.stores.timelines.getState().get(roomId)?.messages ?? [];
  }

  texts(roomId: string): string[] {
    return this.messages(roomId).map((each) => (each.state === "sent" ? each.text : `${each.text} (${each.state})`));
  }

  say(roomId: string, text: string): Promise<string> {
    return this.client.command(roomId, { kind: "message.send", text });
  }

  get status(): string {
    return this.stores.connection.getState().status;
  }

  close(): void {
    this.crash();
    this.wire.close();
  }

  #begin(pollingOnly = false): void {
    const { locks } = this.#locks.open();
    this.#account = new Account({
      environment: { origin: this.wire.origin, http: this.http, locks, pollingOnly },
      stores: this.stores,
      notes: this.#notes,
      refused: () => undefined,
    });
  }

  async #request<T>(method: string, path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    const url = new URL(path, this.wire.origin);
    for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, String(value));
    const headers = new Headers({ "content-type": "application/json", cookie: this.#cookieHeader() });
    if (options.anonymous !== true)
      headers.set("authorization", `Bearer ${(await this.#account?.tokens?.get()) ?? ""}`);
    let response: Response;
    try {
      response = await fetch(url, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    } catch {
      throw new ApiError("network", "The server cannot be reached.");
    }
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      const [name = "", value = ""] = pair.split("=");
      this.#cookies.set(name, value);
    }
    const answer: unknown = response.status === 204 ? undefined : await response.json();
    if (response.ok) return answer as T;
    const { code, message } = (answer as { error: ErrorBody }).error;
    throw new ApiError(code, message, { status: response.status });
  }

  #cookieHeader(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}

function notes(): Notes {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}
