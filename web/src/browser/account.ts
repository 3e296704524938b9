/** Somebody's account by HTTP: for what a test needs and does not test. */

import { randomUUID } from "node:crypto";
import { request, type BrowserContextOptions } from "playwright-core";
import type { GrantAnswer, PlacedMessage } from "@/realtime/schema.gen";

export const PASSWORD = "a few words together";

type StorageState = Exclude<NonNullable<BrowserContextOptions["storageState"]>, string>;

export class Account {
  private constructor(
    readonly origin: string,
    readonly name: string,
    readonly displayName: string,
    readonly grant: GrantAnswer,
  ) {}

  static async register(origin: string, name: string, displayName = name): Promise<Account> {
    const http = await request.newContext({ baseURL: origin });
    const answer = await http.post("/api/auth/register", {
      data: { username: name, email: `${name}@example.org`, password: PASSWORD, display_name: displayName },
    });
    if (!answer.ok()) throw new Error(await answer.text());
    const grant = (await answer.json()) as GrantAnswer;
    await http.dispose();
    return new Account(origin, name, displayName, grant);
  }

  /** What a browser holds in which they are signed in: a session of its own, for a refresh token is spent by its use. */
  async signIn(): Promise<StorageState> {
    const http = await request.newContext({ baseURL: this.origin });
    const answer = await http.post("/api/auth/login", { data: { login: this.name, password: PASSWORD, cookie: true } });
    if (!answer.ok()) throw new Error(await answer.text());
    const { cookies } = await http.storageState();
    await http.dispose();
    const localStorage = [{ name: "parlour.account", value: this.id }];
    return { cookies, origins: [{ origin: this.origin, localStorage }] };
  }

  get id(): string {
    return this.grant.user.id;
  }

  async send<Answer>(method: "POST" | "PUT", path: string, body: object = {}): Promise<Answer> {
    const answer = await fetch(this.origin + path, {
      method,
      headers: { "content-type": "application/json", authorization: `Bearer ${this.grant.access_token}` },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }

  /** The id of a new public room. */
  async room(name: string, members: readonly Account[] = []): Promise<string> {
    const body = { kind: "public", name, members: members.map(({ id }) => id) };
    return (await this.send<{ id: string }>("POST", "/api/rooms", body)).id;
  }

  /** The id of the room that the two have for themselves. */
  async direct(other: Account): Promise<string> {
    return (await this.send<{ id: string }>("POST", "/api/rooms", { kind: "direct", members: [other.id] })).id;
  }

  /** The id of the message. */
  async say(roomId: string, text: string, replyTo?: string): Promise<string> {
    const body = { client_id: randomUUID(), text, ...(replyTo === undefined ? {} : { reply_to: replyTo }) };
    return (await this.send<PlacedMessage>("POST", `/api/rooms/${roomId}/messages`, body)).id;
  }

  /** As many messages as make a room longer than a screen: `line 1` and so on. */
  async sayLines(roomId: string, count: number): Promise<void> {
    for (let line = 1; line <= count; line += 1) await this.say(roomId, `line ${line}`);
  }
}
