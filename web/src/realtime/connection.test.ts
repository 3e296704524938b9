import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { initialLink, step, type LinkEffect, type LinkInput, type LinkState } from "./connection";

function run(inputs: LinkInput[], from: LinkState = initialLink, chance = 0.5): [LinkState, LinkEffect[]] {
  let state = from;
  let effects: LinkEffect[] = [];
  for (const input of inputs) [state, effects] = step(state, input, chance);
  return [state, effects];
}

const online = run([{ type: "start" }, { type: "opened", transport: "websocket" }])[0];
const refused = (code: string, retry_after?: number): LinkInput => ({
  type: "failed",
  error: { code, message: "", ...(retry_after === undefined ? {} : { retry_after }) },
});

describe("connecting", () => {
  test("begins with a WebSocket and may fall back to polling", () => {
    expect(run([{ type: "start" }])[1]).toEqual([{ do: "connect", transports: ["websocket", "polling"] }]);
  });

  test("begins with polling after an attempt that ended in silence, and with a WebSocket once one has worked", () => {
    const silent = run([{ type: "start" }, { type: "failed", timedOut: true }, { type: "due" }]);
    expect(silent[1]).toEqual([{ do: "connect", transports: ["polling", "websocket"] }]);
    const upgraded = run(
      [
        { type: "opened", transport: "polling" },
        { type: "transport", transport: "websocket" },
      ],
      silent[0],
    );
    expect(upgraded[0].pollingFirst).toBe(false);
  });

  test("one attempt at a time", () => {
    expect(run([{ type: "start" }, { type: "woken" }])[1]).toEqual([]);
    expect(run([{ type: "start" }, { type: "due" }])[1]).toEqual([]);
  });

  test("waits longer each time, never beyond the longest wait, and forgets that once it is through", () => {
    let state = run([{ type: "start" }])[0];
    const waits: number[] = [];
    for (let time = 0; time < 10; time++) {
      const [next, effects] = step(state, { type: "failed" }, 0.5);
      waits.push(...effects.flatMap((each) => (each.do === "wait" ? [each.ms] : [])));
      [state] = step(next, { type: "due" }, 0.5);
    }
    expect(waits.slice(0, 3)).toEqual([750, 1_500, 3_000]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    expect(run([{ type: "opened", transport: "websocket" }], state)[0].failures).toBe(0);
  });

  test("waits at least as long as the server says", () => {
    const [, effects] = run([{ type: "start" }, refused("unavailable", 20)]);
    expect(effects).toEqual([{ do: "wait", ms: expect.any(Number) as number }]);
    expect((effects[0] as { ms: number }).ms).toBeGreaterThanOrEqual(20_000);
  });

  test.each(["token_expired", "token_invalid", "unauthenticated"])("%s: another token first", (code) => {
    expect(run([{ type: "start" }, refused(code)])[1].map((each) => each.do)).toEqual(["renew", "wait"]);
  });
});

describe("a lost connection", () => {
  test("is tried again soon, at a moment of chance", () => {
    const wait = (chance: number) => run([{ type: "lost", draining: false }], online, chance)[1];
    expect(wait(0)).toEqual([{ do: "wait", ms: 100 }]);
    expect(wait(0.9)).toEqual([{ do: "wait", ms: 1_000 }]);
  });

  test("to a server that restarts is shown as that, until it is back or has failed for long", () => {
    const [drained, effects] = run([{ type: "lost", draining: true }], online);
    expect(drained.status).toBe("draining");
    expect(effects).toEqual([{ do: "wait", ms: 1_000 }]);
    const again: LinkInput[] = [{ type: "due" }, { type: "failed" }];
    expect(run(again, drained)[0].status).toBe("draining");
    expect(run([...again, ...again, ...again, ...again, ...again], drained)[0].status).toBe("reconnecting");
  });

  test("of a displaced socket waits until somebody looks", () => {
    const [displaced, effects] = run([{ type: "displaced" }], online);
    expect(effects).toEqual([{ do: "close" }]);
    expect(run([{ type: "due" }], displaced)[1]).toEqual([]);
    expect(
      run(
        [
          { type: "network", up: false },
          { type: "network", up: true },
        ],
        displaced,
      )[1],
    ).toEqual([]);
    expect(run([{ type: "woken" }], displaced)[1].map((each) => each.do)).toEqual(["connect"]);
  });
});

describe("the device's network", () => {
  test("gone: the connection is dropped and tried at once, since the server may be this machine", () => {
    const [state, effects] = run([{ type: "network", up: false }], online);
    expect(effects.map((each) => each.do)).toEqual(["close", "connect"]);
    const [failed, waits] = run([{ type: "failed" }], state);
    expect(failed.status).toBe("offline");
    expect((waits[0] as { ms: number }).ms).toBeGreaterThan(15_000);
  });

  test("back: tried at once", () => {
    const gone = run([{ type: "network", up: false }, { type: "failed" }], online)[0];
    expect(run([{ type: "network", up: true }], gone)[1].map((each) => each.do)).toEqual(["connect"]);
  });

  test("a page that is looked at again asks whether its connection lives", () => {
    expect(run([{ type: "woken" }], online)[1]).toEqual([{ do: "probe" }]);
  });
});

test("whatever happens after the session ended, nothing is tried", () => {
  const inputs = fc.constantFrom<LinkInput>(
    { type: "woken" },
    { type: "due" },
    { type: "failed" },
    { type: "lost", draining: true },
    { type: "network", up: false },
    { type: "network", up: true },
  );
  fc.assert(
    fc.property(fc.array(inputs), (after) => {
      const ended = run([{ type: "ended" }], online)[0];
      for (let length = 0; length <= after.length; length++) {
        const [state, effects] = run(after.slice(0, length), ended);
        expect(state.status).toBe("signed-out");
        if (length > 0) expect(effects).toEqual([]);
      }
    }),
  );
});

test("whatever happens, a connection that is neither open nor being tried has a timer or is at rest on purpose", () => {
  const inputs = fc.constantFrom<LinkInput>(
    { type: "woken" },
    { type: "due" },
    { type: "failed" },
    { type: "failed", timedOut: true },
    { type: "opened", transport: "polling" },
    { type: "lost", draining: false },
    { type: "lost", draining: true },
    { type: "network", up: false },
    { type: "network", up: true },
  );
  fc.assert(
    fc.property(fc.array(inputs), (sequence) => {
      let [state] = step(initialLink, { type: "start" }, 0.5);
      let timer = false;
      for (const input of sequence) {
        if (input.type === "due" && !timer) continue; // no timer rings by itself
        if (input.type === "opened" && !state.trying) continue;
        let effects: LinkEffect[];
        [state, effects] = step(state, input, 0.5);
        if (input.type === "due" || effects.some((each) => each.do === "connect")) timer = false;
        if (effects.some((each) => each.do === "wait")) timer = true;
        if (state.status === "online") timer = false;
        expect(state.trying || state.status === "online" || timer, JSON.stringify(state)).toBe(true);
      }
    }),
  );
});
