import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/http";
import { Updates } from "./batch";
import type { Http } from "./environment";
import { People } from "./people";
import type { Profile } from "./schema.gen";
import { MemoryStore } from "./storage/memory";
import { createStores } from "./stores";

const profile = (id: string): Profile => ({ id, username: id, display_name: id, role: "member", disabled: false });

function world() {
  const stores = createStores();
  const get = vi.fn((_path: string, options: { query: { ids: string } }) =>
    Promise.resolve({ users: options.query.ids.split(",").map(profile), cursor: null }),
  );
  const watch = vi.fn((ids: string[]) => Promise.resolve(Object.fromEntries(ids.map((id) => [id, "online"]))));
  const http = { get } as unknown as Http;
  const people = new People({
    updates: new Updates(),
    me: "ann",
    http,
    store: new MemoryStore(),
    stores,
    watch,
    now: () => Date.now(),
  });
  const shown = () => {
    people.flush();
    return stores.people.getState();
  };
  return { people, shown, get, watch };
}

let open: ReturnType<typeof world>;
beforeEach(() => {
  vi.useFakeTimers();
  open = world();
});
afterEach(() => {
  open.people.close();
  vi.useRealTimers();
});

describe("who types", () => {
  test("stops when they say so, send, or fall silent", () => {
    const { people, shown } = open;
    people.typing("room", "ben", true);
    people.typing("room", "cem", true);
    expect(shown().typing.get("room")).toEqual(["ben", "cem"]);
    people.typing("room", "ben", false);
    expect(shown().typing.get("room")).toEqual(["cem"]);
    vi.advanceTimersByTime(4_000);
    people.typing("room", "cem", true);
    vi.advanceTimersByTime(4_000);
    expect(shown().typing.get("room")).toEqual(["cem"]);
    vi.advanceTimersByTime(2_100);
    expect(shown().typing.has("room")).toBe(false);
  });

  test("is the same list while nobody comes or goes", () => {
    const { people, shown } = open;
    people.typing("room", "ben", true);
    const before = shown().typing.get("room");
    people.typing("room", "ben", true);
    expect(shown().typing.get("room")).toBe(before);
  });
});

describe("presence", () => {
  test("is asked for once for all who look, and no more when nobody does", async () => {
    const { people, shown, watch } = open;
    const stop = [people.watch("ben"), people.watch("cem"), people.watch("ben")];
    await vi.advanceTimersByTimeAsync(500);
    expect(watch.mock.calls).toEqual([[["ben", "cem"]]]);
    expect(shown().presence.get("ben")).toBe("online");
    stop[0]?.();
    await vi.advanceTimersByTimeAsync(500);
    expect(watch).toHaveBeenCalledTimes(1);
    stop[2]?.();
    await vi.advanceTimersByTimeAsync(500);
    expect(watch.mock.calls.at(-1)).toEqual([["cem"]]);
  });

  test("is unknown without a connection, and asked for anew after it", async () => {
    const { people, shown, watch } = open;
    people.watch("ben");
    await vi.advanceTimersByTimeAsync(500);
    people.offline();
    expect(shown().presence.size).toBe(0);
    people.ready();
    await vi.advanceTimersByTimeAsync(500);
    expect(watch).toHaveBeenCalledTimes(2);
    people.present("ben", "from the future");
    expect(shown().presence.get("ben")).toBe("offline");
  });
});

describe("profiles", () => {
  test("are fetched together, and not again for a while", async () => {
    const { people, shown, get } = open;
    ["ben", "cem", "ben"].forEach((id) => people.want(id));
    await vi.advanceTimersByTimeAsync(100);
    expect(get.mock.calls.map(([, options]) => options.query.ids)).toEqual(["ben,cem"]);
    expect(shown().profiles.get("cem")?.username).toBe("cem");
    people.want("ben");
    await vi.advanceTimersByTimeAsync(100);
    expect(get).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(700_000);
    people.want("ben");
    await vi.advanceTimersByTimeAsync(100);
    expect(get).toHaveBeenCalledTimes(2);
  });

  test("more than fit into one request are several", async () => {
    const { people, get } = open;
    for (let index = 0; index < 150; index++) people.want(`user ${index}`);
    await vi.advanceTimersByTimeAsync(200);
    expect(get.mock.calls.map(([, options]) => options.query.ids.split(",").length)).toEqual([100, 50]);
  });

  test("that could not be fetched are fetched when the server is there again", async () => {
    const { people, shown, get } = open;
    get.mockRejectedValueOnce(new ApiError("network", ""));
    people.want("ben");
    await vi.advanceTimersByTimeAsync(100);
    expect(shown().profiles.size).toBe(0);
    people.ready();
    await vi.advanceTimersByTimeAsync(100);
    expect(shown().profiles.has("ben")).toBe(true);
  });
});

test("a read marker never goes back", () => {
  const { people, shown } = open;
  people.read("room", "ben", 5);
  people.read("room", "ben", 3);
  expect(shown().reads.get("room")?.get("ben")).toBe(5);
});
