import { describe, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/http";
import type { GrantAnswer } from "./schema.gen";
import { Tokens, type AccessToken, type TokenSource } from "./tokens";

const user: GrantAnswer["user"] = {
  id: "ann",
  username: "ann",
  display_name: "Ann",
  email: "ann@example.org",
  role: "member",
  created_at: 0,
  updated_at: 0,
  disabled: false,
};

/** Tabs of one browser: one refresh cookie, one lock, a channel between them. */
function browser() {
  let now = 0;
  let served = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const tabs: Tokens[] = [];
  const refresh = vi.fn(async (): Promise<GrantAnswer> => {
    await Promise.resolve();
    served += 1;
    return { user, access_token: `token ${served}`, expires_in: 600, token_type: "Bearer" };
  });
  const ended = vi.fn();
  const source: Omit<TokenSource, "share"> = {
    refresh,
    alone: (run) => {
      const mine = turn.then(run);
      turn = mine.catch(() => undefined);
      return mine;
    },
    granted: () => undefined,
    ended,
    now: () => now,
  };
  const open = () => {
    const tab = new Tokens({
      ...source,
      share: (token: AccessToken) => tabs.filter((each) => each !== tab).forEach((each) => each.take(token)),
    });
    tabs.push(tab);
    return tab;
  };
  return { open, refresh, ended, pass: (ms: number) => (now += ms) };
}

describe("an access token", () => {
  test("is refreshed once for all who ask at the same time", async () => {
    const { open, refresh } = browser();
    const tab = open();
    expect(await Promise.all([tab.get(), tab.get(), tab.get()])).toEqual(["token 1", "token 1", "token 1"]);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  test("is refreshed before it ends, not sooner", async () => {
    const { open, refresh, pass } = browser();
    const tab = open();
    await tab.get();
    pass(560_000);
    expect(await tab.get()).toBe("token 1");
    pass(20_000);
    expect(await tab.get()).toBe("token 2");
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  test("for a socket is refreshed earlier, so that there is time to try again", async () => {
    const { open, pass } = browser();
    const tab = open();
    await tab.get();
    expect(tab.renewAt).toBe(510_000);
    pass(520_000);
    expect(await tab.get()).toBe("token 1");
    expect(await tab.get(true)).toBe("token 2");
  });

  test("is refreshed by one tab for all", async () => {
    const { open, refresh } = browser();
    const [first, second] = [open(), open()];
    expect(await Promise.all([first.get(), second.get()])).toEqual(["token 1", "token 1"]);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  test("that the server does not take is not handed out again", async () => {
    const { open } = browser();
    const tab = open();
    await tab.get();
    tab.refuse();
    tab.take({ value: "token 1", until: 600_000, life: 600_000 });
    expect(await tab.get()).toBe("token 2");
  });
});

describe("a refresh that fails", () => {
  test("because the session is over says so", async () => {
    const { open, refresh, ended } = browser();
    refresh.mockRejectedValueOnce(new ApiError("session_revoked", "", { status: 401 }));
    await expect(open().get()).rejects.toThrow(ApiError);
    expect(ended).toHaveBeenCalledWith("session_revoked");
  });

  test.each([
    ["there is no network", new ApiError("network", "")],
    ["the answer was lost", new ApiError("timeout", "")],
    ["the server is away", new ApiError("unavailable", "", { status: 503 })],
    ["somebody else answered", new ApiError("unavailable", "", { status: 403 })],
  ])("because %s is tried again when somebody asks", async (_, error) => {
    const { open, refresh, ended } = browser();
    const tab = open();
    refresh.mockRejectedValueOnce(error);
    await expect(tab.get()).rejects.toThrow(ApiError);
    expect(await tab.get()).toBe("token 1");
    expect(ended).not.toHaveBeenCalled();
  });
});
