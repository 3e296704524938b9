/** Calls in two real browsers with fake devices, against the real server and the client as it is built (`npm run build`). */

import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { freePort } from "@/realtime/testing/parlour-server";
import { NETWORK_FAILS } from "./faults";
import type { Person } from "./person";
import { openStage } from "./stage";

const TURN = fileURLToPath(new URL("../../../scripts/turn.py", import.meta.url));
const WITHIN = { timeout: 60_000, interval: 100 };
const TURN_PORT = await freePort();
const TURN_SECRET = "a secret that both share";
const stage = await openStage({
  settings: {
    PARLOUR_TURN_URLS: `turn:127.0.0.1:${TURN_PORT}?transport=udp`,
    PARLOUR_TURN_SECRET: TURN_SECRET,
    PARLOUR_CALL_GRACE_SECONDS: "120", // on a busy machine the way back after a restart takes longer than 15 s
  },
  expected: NETWORK_FAILS,
});
let turn: ChildProcess;
let ann: Person;
let ben: Person;

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

/** A counter of getStats, summed over the lines of one kind. */
function count({ page }: Person, type: string, kind: string, name: string): Promise<number> {
  return page.evaluate(
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

/** Resolves once more pictures have come than until now. */
async function seesMore(person: Person): Promise<void> {
  const framesDecoded = () => count(person, "inbound-rtp", "video", "framesDecoded");
  const before = await framesDecoded();
  await vi.waitFor(async () => expect(await framesDecoded()).toBeGreaterThan(before + 5), WITHIN);
}

beforeAll(() => {
  turn = spawn("python3", [TURN, "--port", String(TURN_PORT), "--relay-ports", `${TURN_PORT + 1}-${TURN_PORT + 49}`], {
    env: { ...process.env, PARLOUR_TURN_SECRET: TURN_SECRET },
    stdio: "ignore",
  });
});

afterAll(() => {
  turn.kill();
});

beforeEach(async () => {
  const [a, b] = [await stage.account("ann"), await stage.account("ben")];
  const path = `/r/${await a.direct(b)}`;
  ann = await stage.enter(a, { script: keepConnections, path });
  ben = await stage.enter(b, { script: keepConnections });
  await ann.composer.waitFor();
});

async function call(): Promise<void> {
  await ann.button("Start a video call").click();
  await ann.button("Call").click();
  await ben.button("Accept with video").click();
  await Promise.all([seesMore(ann), seesMore(ben)]);
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
    await seesMore(ann);
    await ben.button("Leave the call").click();
    await ann.page.getByRole("status").getByText("Call ended").waitFor();
  });

  test("shares a screen", async () => {
    await call();
    await ann.button("Share your screen").click();
    await ben.page.getByLabel(`${ann.name}'s screen`).waitFor();
    await seesMore(ben);
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
    await Promise.all([seesMore(ann), seesMore(ben)]);
  });

  test("goes on in a corner while one is elsewhere, and through a restart of the server", async () => {
    await call();
    await ann.button("Make small").click();
    await ann.button("Show the call").waitFor();
    await stage.server.stop();
    await stage.server.start();
    await Promise.all([seesMore(ann), seesMore(ben)]);
    await ben.button("Mute").click();
    await ann.page.getByRole("img", { name: `${ben.name} is muted` }).waitFor();
  });

  test("goes through the relay alone for who hides their address", async () => {
    await ann.button("Start a video call").click();
    await ann.page.getByRole("switch", { name: "Hide my address" }).click();
    await ann.button("Call").click();
    await ben.button("Accept with video").click();
    await Promise.all([seesMore(ann), seesMore(ben)]);
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
    await ben.page.getByRole("status").getByText("Call ended").waitFor(); // before the grace ends
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
