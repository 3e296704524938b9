// @vitest-environment node
import Dexie from "dexie";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/http";
import { Account, type Notes } from "./account";
import type { Http } from "./environment";
import type { GrantAnswer, User } from "./schema.gen";
import { createStores } from "./stores";
import { FakeLocks } from "./testing/locks";

/** Nothing listens there: these tests are about what is kept, not about what is said. */
const NOWHERE = "http://127.0.0.1:9";

function user(id: string): User {
  return {
    id,
    username: id,
    display_name: id.toUpperCase(),
    email: `${id}@example.org`,
    role: "member",
    created_at: 0,
    updated_at: 0,
    disabled: false,
  };
}

function grant(id: string): GrantAnswer {
  return { user: user(id), access_token: `token of ${id}`, expires_in: 600, token_type: "Bearer" };
}

/** A browser: what its tabs share, and what the server answers to its refresh cookie. */
function browser() {
  const kept = new Map<string, string>();
  const notes: Notes = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
  const locks = new FakeLocks();
  const refresh = vi.fn((): Promise<GrantAnswer> => Promise.reject(new ApiError("network", "")));
  const logout = vi.fn((): Promise<unknown> => Promise.resolve());
  const post = (path: string) => (path.endsWith("/refresh") ? refresh() : logout());
  const tabs: { account: Account; crash: () => void }[] = [];
  const open = () => {
    const stores = createStores();
    const lock = locks.open();
    const account = new Account({
      environment: {
        origin: NOWHERE,
        http: { post, get: () => Promise.reject(new ApiError("network", "")) } as unknown as Http,
        locks: lock.locks,
        pollingOnly: true,
      },
      stores,
      notes,
      refused: () => undefined,
    });
    const crash = () => {
      account.client?.close();
      lock.die();
    };
    tabs.push({ account, crash });
    return { account, session: () => stores.session.getState(), crash };
  };
  return { open, refresh, logout, kept, close: () => tabs.forEach((each) => each.crash()) };
}

let computer: ReturnType<typeof browser>;
beforeEach(() => {
  Dexie.dependencies.indexedDB = new IDBFactory();
  computer = browser();
});
afterEach(() => computer.close());

describe("a session", () => {
  test("is there for the next page, without a network", async () => {
    const first = computer.open();
    await first.account.start(grant("ann"));
    await first.account.client?.command("room", { kind: "message.send", text: "hello" });
    first.crash();
    const next = computer.open();
    await next.account.resume();
    expect(next.session().session?.user).toEqual(user("ann"));
    expect(next.account.client?.outbox.count).toBe(1);
  });

  test("is begun by the refresh cookie where the browser keeps no database", async () => {
    computer.kept.set("parlour.account", "ann");
    computer.refresh.mockResolvedValueOnce(grant("ann"));
    const tab = computer.open();
    await tab.account.resume();
    expect(tab.session().session?.user.id).toBe("ann");
  });

  test("is not asked for where nobody was signed in: a refusal would be an error in the console", async () => {
    const tab = computer.open();
    await tab.account.resume();
    expect(tab.session()).toEqual({ session: null, reason: undefined });
    expect(computer.refresh).not.toHaveBeenCalled();
  });

  test("follows changes of the account in all tabs", async () => {
    const [first, second] = [computer.open(), computer.open()];
    await first.account.start(grant("ann"));
    await second.account.resume();
    first.account.rename({ ...user("ann"), display_name: "Ann Lee" });
    await vi.waitFor(() => expect(second.session().session?.user.display_name).toBe("Ann Lee"));
  });
});

describe("signing out", () => {
  test("ends all tabs and leaves nothing in the browser", async () => {
    const [first, second] = [computer.open(), computer.open()];
    await first.account.start(grant("ann"));
    await second.account.resume();
    await second.account.client?.command("room", { kind: "message.send", text: "hello" });
    await first.account.end();
    await vi.waitFor(() => expect(second.session()).toMatchObject({ session: null, reason: "logout" }));
    expect(first.session()).toEqual({ session: null, reason: "logout" });
    expect(computer.logout).toHaveBeenCalledTimes(1);
    await vi.waitFor(async () => expect(await Dexie.getDatabaseNames()).toEqual([]));
    expect([...computer.kept]).toEqual([]);
  });

  test("without a network is told to the server by the next page", async () => {
    const first = computer.open();
    await first.account.start(grant("ann"));
    computer.logout.mockRejectedValueOnce(new ApiError("network", ""));
    await first.account.end();
    const next = computer.open();
    await next.account.resume();
    expect(next.session().session).toBeNull();
    expect(computer.logout).toHaveBeenCalledTimes(2);
    expect([...computer.kept]).toEqual([]);
  });

  test("and in as somebody else shows nothing of the one before", async () => {
    const tab = computer.open();
    await tab.account.start(grant("ann"));
    await tab.account.client?.command("room", { kind: "message.send", text: "secret" });
    await tab.account.start(grant("ben"));
    expect(tab.account.client?.outbox.count).toBe(0);
    expect(await Dexie.getDatabaseNames()).toEqual(["parlour-ben"]);
  });
});

test("what the browser noted of another account goes when somebody else begins a session, also by the cookie", async () => {
  const items = new Map<string, string>();
  const storage = new Proxy(
    { removeItem: (key: string) => items.delete(key) },
    { ownKeys: () => [...items.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) },
  );
  vi.stubGlobal("localStorage", storage);
  try {
    items.set("parlour.account.ann.drafts", "[]").set("parlour.preferences", "{}");
    computer.kept.set("parlour.account", "ann");
    computer.refresh.mockResolvedValueOnce(grant("ben"));
    await computer.open().account.resume();
    expect([...items.keys()]).toEqual(["parlour.preferences"]);
    items.set("parlour.account.ben.drafts", "[]");
    await computer.open().account.start(grant("ben"));
    expect(items.has("parlour.account.ben.drafts")).toBe(true);
  } finally {
    vi.unstubAllGlobals();
  }
});

describe("a session that ends by itself", () => {
  const refused = (code: string) => new ApiError(code, "", { status: 401 });

  test.each(["refresh_token_expired", "refresh_token_reused"])(
    "%s: keeps what was not sent for the same user",
    async (code) => {
      const tab = computer.open();
      await tab.account.start(grant("ann"));
      await tab.account.client?.command("room", { kind: "message.send", text: "hello" });
      computer.refresh.mockRejectedValueOnce(refused(code));
      tab.account.tokens?.refuse();
      await expect(tab.account.tokens?.get()).rejects.toThrow();
      await vi.waitFor(() => expect(tab.session()).toMatchObject({ session: null, reason: code }));
      const again = computer.open();
      await vi.waitFor(async () => {
        await again.account.start(grant("ann"));
        expect(again.account.client?.outbox.count).toBe(1);
      });
    },
  );

  test("because it was revoked leaves nothing", async () => {
    const tab = computer.open();
    await tab.account.start(grant("ann"));
    computer.refresh.mockRejectedValueOnce(refused("session_revoked"));
    tab.account.tokens?.refuse();
    await expect(tab.account.tokens?.get()).rejects.toThrow();
    await vi.waitFor(async () => expect(await Dexie.getDatabaseNames()).toEqual([]));
    expect(tab.session()).toMatchObject({ session: null, reason: "session_revoked" });
  });

  test("because another tab signed in as somebody else leaves theirs alone", async () => {
    const [first, second] = [computer.open(), computer.open()];
    await first.account.start(grant("ann"));
    await second.account.start(grant("ben"));
    computer.refresh.mockResolvedValueOnce(grant("ben"));
    first.account.tokens?.refuse();
    await first.account.tokens?.get().catch(() => undefined);
    await vi.waitFor(() => expect(first.session().session).toBeNull());
    expect(second.session().session?.user.id).toBe("ben");
    expect(computer.kept.get("parlour.account")).toBe("ben");
  });
});
