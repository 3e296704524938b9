/** Two people talk while the network or the server goes away and comes back. */

import { beforeEach, describe, expect, test } from "vitest";
import { NETWORK_FAILS } from "./faults";
import type { Person } from "./person";
import { openStage, type Visit } from "./stage";

const stage = await openStage({ expected: NETWORK_FAILS, settings: { PARLOUR_DRAIN_SECONDS: "1" } });
let ann: Person;
let ben: Person;

async function meet(visit: Visit = {}): Promise<void> {
  const [a, b] = [await stage.account("ann"), await stage.account("ben")];
  const room = await a.direct(b);
  await a.say(room, "first");
  const path = `/r/${room}`;
  [ann, ben] = await Promise.all([stage.enter(a, { ...visit, path }), stage.enter(b, { ...visit, path })]);
  await Promise.all([ann.sees("first"), ben.sees("first")]);
}

/** As behind a proxy that lets no WebSocket through: each is refused in its opening. */
function refuseWebSockets(): void {
  window.WebSocket = class extends window.WebSocket {
    constructor() {
      super(new URL("/no-socket-here", window.location.href.replace("http", "ws")));
    }
  };
}

async function bothHave(texts: readonly string[]): Promise<void> {
  expect(await ann.order(texts)).toEqual(texts);
  expect(await ben.order(texts)).toEqual(texts);
}

describe("two people", () => {
  beforeEach(() => meet());

  test("miss nothing when one writes without a network, reloads, and comes back", async () => {
    const texts = ["one", "two", "three"];
    await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await ann.context.setOffline(true);
    for (const text of texts) await ann.say(text);
    await ann.sees("three");
    await ann.page.reload();
    await ann.sees("three");
    await ann.context.setOffline(false);
    await ben.sees("three");
    await bothHave(texts);
  });

  test("get everything once when one goes offline in the middle of sending", async () => {
    const texts = Array.from({ length: 12 }, (_, index) => `part ${index + 1}`);
    for (const text of texts.slice(0, 6)) await ann.say(text);
    await ben.sees("part 1");
    await ann.context.setOffline(true); // with some of them acknowledged, some on the way and some waiting
    for (const text of texts.slice(6)) await ann.say(text);
    await ann.sees("part 12");
    expect(await ben.timeline.getByText("part 12", { exact: true }).count()).toBe(0);
    await ann.context.setOffline(false);
    await ben.sees("part 12");
    await ann.timeline.getByText("Sending…").waitFor({ state: "detached" });
    await bothHave(texts);
  });

  test("are told that emoji come with the network when they are first asked for without one", async () => {
    await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await ann.page.reload(); // from here on the service worker has the client's own scripts
    await ann.sees("first");
    await ann.context.setOffline(true);
    await ann.button("Emoji").click();
    await ann.page.getByRole("alert").getByText("The server cannot be reached").waitFor();
    await ann.context.setOffline(false);
    await ann.button("Try again").click();
    await ann.page.getByRole("textbox", { name: "Search emoji" }).fill("rocket");
    await ann.page.getByRole("button", { name: "rocket", exact: true }).click();
    await expect.poll(() => ann.composer.inputValue(), { timeout: 60_000 }).toBe("🚀");
  });

  test("go on when the server is killed and comes back", async () => {
    await ann.say("before");
    await ben.sees("before");
    await stage.server.stop();
    await ann.say("while it is away");
    await stage.server.start();
    await ben.sees("while it is away");
    await ben.say("after");
    await ann.sees("after");
    await bothHave(["before", "while it is away", "after"]);
  });

  test("go on when the server sends everybody away and restarts", async () => {
    stage.expect(/(?:a status of|response code:) 503/); // who comes back before it has ended
    await ann.say("before");
    const draining = stage.server.stop("SIGTERM");
    await ann.say("while it drains");
    await ben.say("while it drains, too");
    await draining;
    await ann.page
      .getByRole("status")
      .getByText(/The server is restarting|Connection lost/)
      .waitFor({ state: "attached" });
    await stage.server.start();
    await Promise.all([ben.sees("while it drains"), ann.sees("while it drains, too")]);
    await ben.say("after");
    await ann.sees("after");
    const texts = ["before", "while it drains", "while it drains, too", "after"];
    expect(await ann.order(texts)).toEqual(await ben.order(texts));
    expect((await ann.order(texts)).toSorted()).toEqual(texts.toSorted());
  });
});

describe("where no WebSocket comes through", () => {
  test("two people talk by long-polling, also when it is cut", async () => {
    stage.expect(/^WebSocket connection to '\S+\/no-socket-here' failed: .* response code: 404$/);
    await meet({ script: refuseWebSockets });
    const texts = ["by polling", "and back", "after a cut"];
    await ann.say("by polling");
    await ben.sees("by polling");
    await ben.say("and back");
    await ann.sees("and back");
    await ann.context.setOffline(true);
    await ann.say("after a cut");
    await ann.context.setOffline(false);
    await ben.sees("after a cut");
    await bothHave(texts);
  });
});
