/** Calls in two real browsers with fake devices, against the real server and the client as it is built (`npm run build`). */

import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { freePort, ParlourServer } from "@/realtime/testing/parlour-server";

const PORT = await freePort();
const TURN = fileURLToPath(new URL("../../scripts/turn.py", import.meta.url));
const PASSWORD = "a few words together";
const WITHIN = { timeout: 20_000, interval: 100 };
const TURN_PORT = await freePort();
const TURN_SECRET = "a secret that both share";
const server = new ParlourServer(PORT, {
  PARLOUR_TURN_URLS: `turn:127.0.0.1:${TURN_PORT}?transport=udp`,
  PARLOUR_TURN_SECRET: TURN_SECRET,
});
let turn: ChildProcess;

/** Every connection of the page, so that a test can read what flows. */
function keepConnections(): void {
  const kept: RTCPeerConnection[] = [];
  const Native = window.RTCPeerConnection;
  Object.assign(window, { kept });
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      kept.push(this);
    }
  };
}

declare global {
  interface Window {
    kept: RTCPeerConnection[];
  }
}

class Person {
  readonly errors: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly name: string,
  ) {}

  static async register(browser: Browser, name: string): Promise<Person> {
    const context = await browser.newContext({ baseURL: server.origin });
    await context.addInitScript(keepConnections);
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const person = new Person(context, page, name);
    page.on("console", (message) => {
      // A test stops the server, which browsers say in the console.
      if (message.type() === "error" && !message.text().includes("ERR_CONNECTION_REFUSED"))
        person.errors.push(message.text());
    });
    page.on("pageerror", (error) => person.errors.push(error.message));
    await page.goto("/register");
    await page.getByLabel("Your name").fill(name);
    await page.getByLabel("Username").fill(name);
    await page.getByLabel("E-mail").fill(`${name}@example.org`);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForURL("/");
    return person;
  }

  button(name: string) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** A counter of getStats, summed over the lines of one kind. */
  count(type: string, kind: string, name: string): Promise<number> {
    return this.page.evaluate(
      async ([type, kind, name]) => {
        const report = await window.kept.at(-1)?.getStats();
        return [...(report?.values() ?? [])]
          .map((stats) => stats as Record<string, unknown>)
          .filter((stats) => stats.type === type && stats.kind === kind)
          .reduce((sum, stats) => sum + Number(stats[name] ?? 0), 0);
      },
      [type, kind, name] as const,
    );
  }

  framesDecoded(): Promise<number> {
    return this.count("inbound-rtp", "video", "framesDecoded");
  }

  /** Resolves once more pictures have come than until now. */
  async seesMore(): Promise<void> {
    const before = await this.framesDecoded();
    await vi.waitFor(async () => expect(await this.framesDecoded()).toBeGreaterThan(before + 5), WITHIN);
  }
}

let browser: Browser;
let ann: Person;
let ben: Person;
let people = 0;

beforeAll(async () => {
  turn = spawn("python3", [TURN, "--port", String(TURN_PORT), "--relay-ports", `${TURN_PORT + 1}-${TURN_PORT + 49}`], {
    env: { ...process.env, PARLOUR_TURN_SECRET: TURN_SECRET },
    stdio: "ignore",
  });
  await server.start();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--auto-select-desktop-capture-source=Entire screen",
      "--autoplay-policy=no-user-gesture-required",
    ],
  });
});

afterAll(async () => {
  await browser.close();
  await server.remove();
  turn.kill();
});

beforeEach(async () => {
  people += 1;
  [ann, ben] = [await Person.register(browser, `ann${people}`), await Person.register(browser, `ben${people}`)];
  await openDirect(ann, ben);
});

afterEach(async () => {
  for (const person of [ann, ben]) {
    expect(person.errors).toEqual([]);
    await person.context.close();
  }
});

async function post<Answer>(path: string, body: object, token?: string): Promise<Answer> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(server.origin + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization },
    body: JSON.stringify(body),
  });
  expect(response.ok).toBe(true);
  return (await response.json()) as Answer;
}

/** Go to the room that the two have for themselves. */
async function openDirect(from: Person, to: Person): Promise<void> {
  const signIn = ({ name }: Person) =>
    post<{ access_token: string; user: { id: string } }>("/api/auth/login", { login: name, password: PASSWORD });
  const [{ access_token: token }, { user }] = [await signIn(from), await signIn(to)];
  const { id } = await post<{ id: string }>("/api/rooms", { kind: "direct", members: [user.id] }, token);
  await from.page.goto(`/r/${id}`);
}

async function call(): Promise<void> {
  await ann.button("Start a video call").click();
  await ann.button("Call").click();
  await ben.button("Accept with video").click();
  await Promise.all([ann.seesMore(), ben.seesMore()]);
}

describe("a video call", () => {
  test("shows both each other, tells of muting and of the end", async () => {
    await call();
    await ann.button("Mute").click();
    await ben.page.getByRole("img", { name: `${ann.name} is muted` }).waitFor();
    await ann.button("Unmute").click();
    await ben.page.getByRole("img", { name: `${ann.name} is muted` }).waitFor({ state: "detached" });
    await ben.button("Turn camera off").click();
    await ann.page.getByLabel(`Picture of ${ben.name}`).waitFor({ state: "detached" });
    await ben.button("Turn camera on").click();
    await ann.page.getByLabel(`Picture of ${ben.name}`).waitFor();
    await ann.seesMore();
    await ben.button("Leave the call").click();
    await ann.page.getByRole("status").getByText("Call ended").waitFor();
  });

  test("shares a screen", async () => {
    await call();
    await ann.button("Share your screen").click();
    await ben.page.getByLabel(`${ann.name}'s screen`).waitFor();
    await ben.seesMore();
    await ann.button("Stop sharing").click();
    await ben.page.getByLabel(`${ann.name}'s screen`).waitFor({ state: "detached" });
  });

  test("finds another way when the network changes", async () => {
    await call();
    const fragment = () =>
      ann.page.evaluate(() => /ice-ufrag:(\S+)/.exec(window.kept.at(-1)?.localDescription?.sdp ?? "")?.[1]);
    const before = await fragment();
    await ann.page.evaluate(() => window.dispatchEvent(new Event("online")));
    await vi.waitFor(async () => expect(await fragment()).not.toBe(before), WITHIN);
    await Promise.all([ann.seesMore(), ben.seesMore()]);
  });

  test("goes on in a corner while one is elsewhere, and through a restart of the server", async () => {
    await call();
    await ann.button("Make small").click();
    await ann.button("Show the call").waitFor();
    await server.stop();
    await server.start();
    await Promise.all([ann.seesMore(), ben.seesMore()]);
    await ben.button("Mute").click();
    await ann.page.getByRole("img", { name: `${ben.name} is muted` }).waitFor({ timeout: 30_000 });
  });

  test("goes through the relay alone for who hides their address", async () => {
    await ann.button("Start a video call").click();
    await ann.page.getByRole("switch", { name: "Hide my address" }).click();
    await ann.button("Call").click();
    await ben.button("Accept with video").click();
    await Promise.all([ann.seesMore(), ben.seesMore()]);
    const types = await ann.page.evaluate(async () => {
      const report = await window.kept.at(-1)?.getStats();
      return [...(report?.values() ?? [])]
        .map((stats) => stats as Record<string, unknown>)
        .filter(({ type }) => type === "local-candidate")
        .map(({ candidateType }) => candidateType);
    });
    expect([...new Set(types)]).toEqual(["relay"]);
  });

  test("ends for the other when the tab is closed", async () => {
    await call();
    await ann.page.close();
    await ben.page.getByRole("status").getByText("Call ended").waitFor({ timeout: 5_000 });
  });
});

describe("a call that is not answered", () => {
  test("tells that it was declined", async () => {
    await ann.button("Start a call").click();
    await ben.button("Decline").click();
    await ann.page.getByText(`${ben.name} declined`).first().waitFor();
  });

  test("stops ringing when the caller hangs up", async () => {
    await ann.button("Start a call").click();
    await ben.button("Accept").waitFor();
    await ann.button("Leave the call").click();
    await ben.button("Accept").waitFor({ state: "detached" });
  });
});
