import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, http, setTokenSource } from "./http";

const fetched = vi.fn<typeof fetch>();

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

function sentTokens(): (string | null)[] {
  return fetched.mock.calls.map(([, init]) => new Headers(init?.headers).get("authorization"));
}

async function refusal(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`not an ApiError: ${String(error)}`);
  return error;
}

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});

afterEach(() => setTokenSource(undefined));

describe("http", () => {
  it("sends JSON and returns JSON", async () => {
    fetched.mockResolvedValue(json(201, { id: "a" }));
    expect(await http.post("/api/rooms", { name: "lounge" }, { query: { a: 1, b: undefined } })).toEqual({ id: "a" });
    const [url, init] = fetched.mock.calls[0]!;
    expect(url).toBe("/api/rooms?a=1");
    expect(init).toMatchObject({ method: "POST", body: '{"name":"lounge"}' });
  });

  it("returns nothing for 204", async () => {
    fetched.mockResolvedValue(new Response(null, { status: 204 }));
    await expect(http.delete("/api/auth/sessions")).resolves.toBeUndefined();
  });

  it("renews a refused token once and repeats", async () => {
    setTokenSource({ token: () => Promise.resolve("old"), renew: () => Promise.resolve("new") });
    fetched.mockResolvedValueOnce(json(401, { error: { code: "token_expired", message: "" } }));
    fetched.mockResolvedValueOnce(json(200, "well"));
    expect(await http.get("/api/rooms")).toBe("well");
    expect(sentTokens()).toEqual(["Bearer old", "Bearer new"]);
  });

  it("gives up when the renewed token is refused too", async () => {
    setTokenSource({ token: () => Promise.resolve("old"), renew: () => Promise.resolve("new") });
    fetched.mockImplementation(() => Promise.resolve(json(401, { error: { code: "token_invalid", message: "" } })));
    expect((await refusal(http.get("/api/rooms"))).code).toBe("token_invalid");
    expect(fetched).toHaveBeenCalledTimes(2);
  });

  it("does not renew what renewing cannot heal, nor for anonymous requests", async () => {
    const renew = vi.fn(() => Promise.resolve("new"));
    setTokenSource({ token: () => Promise.resolve("old"), renew });
    fetched.mockImplementation(() => Promise.resolve(json(401, { error: { code: "session_revoked", message: "" } })));
    await refusal(http.get("/api/rooms"));
    await refusal(http.post("/api/auth/login", {}, { anonymous: true }));
    expect(renew).not.toHaveBeenCalled();
    expect(sentTokens()).toEqual(["Bearer old", null]);
  });

  it("tells the field and the wait of a refusal", async () => {
    const error = { code: "login_slowed", message: "Wait.", retry_after: 60, details: { field: "password" } };
    fetched.mockResolvedValue(json(429, { error }));
    expect(await refusal(http.get("/"))).toMatchObject({
      status: 429,
      retryAfter: 60,
      field: "password",
      transient: true,
    });
  });

  it("takes a proxy's page for `unavailable`, with the header's wait", async () => {
    fetched.mockResolvedValue(new Response("<html>", { status: 502, headers: { "retry-after": "7" } }));
    expect(await refusal(http.get("/"))).toMatchObject({
      code: "unavailable",
      status: 502,
      retryAfter: 7,
      transient: true,
    });
  });

  it("calls an unreachable server `network`", async () => {
    fetched.mockRejectedValue(new TypeError("Failed to fetch"));
    expect(await refusal(http.get("/"))).toMatchObject({ code: "network", status: 0, transient: true });
  });

  it("passes the caller's own abort on", async () => {
    const controller = new AbortController();
    fetched.mockImplementation(() => {
      controller.abort();
      return Promise.reject(new DOMException("aborted", "AbortError"));
    });
    await expect(http.get("/", { signal: controller.signal })).rejects.toMatchObject({ name: "AbortError" });
  });
});
