/** The life of a socket beyond that of its access token, against the real server: as long as its shortest token lives. */

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Browser } from "./testing/browser";
import { freePort, ParlourServer } from "./testing/parlour-server";

const PORT = await freePort();
const server = new ParlourServer(PORT, { PARLOUR_ACCESS_TOKEN_SECONDS: "30" });

beforeAll(() => server.start());
afterAll(() => server.remove());

test("a token is renewed before it ends, and the connection outlives it", async () => {
  const cem = await Browser.open(PORT);
  await cem.register("cem");
  await vi.waitFor(() => expect(cem.status).toBe("online"), { timeout: 30_000 });
  const seen = new Set<string>();
  cem.stores.connection.subscribe(({ status }) => seen.add(status));
  await new Promise((resolve) => setTimeout(resolve, 33_000));
  expect(cem.status).toBe("online");
  expect([...seen].filter((each) => each !== "online")).toEqual([]);
  cem.close();
});
