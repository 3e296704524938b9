/** HTTP to the server: JSON both ways, the access token, one renewal of it, and one class of error. */

const TIMEOUT_MS = 20_000;

/** Codes that renewing the access token may heal. */
const RENEWABLE = new Set(["token_expired", "token_invalid", "unauthenticated"]);

/** Gives access tokens; the data layer installs it, so that this file knows nothing of sessions. */
export interface TokenSource {
  /** A token that is good for now. Rejects where nobody is signed in. */
  token: () => Promise<string>;
  /** Another token than `refused`, which the server did not take. */
  renew: (refused: string) => Promise<string>;
}

/** A request that failed. `code` is the server's (docs/reference/errors.md), or `network` or `timeout` where no answer came. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  /** Zero where no answer came. */
  readonly status: number;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    rest: { status?: number; retryAfter?: number | undefined; details?: Record<string, unknown> | undefined } = {},
  ) {
    super(message);
    this.code = code;
    this.status = rest.status ?? 0;
    this.retryAfter = rest.retryAfter;
    this.details = rest.details ?? {};
  }

  /** The field of the request that the error is about. */
  get field(): string | undefined {
    return typeof this.details.field === "string" && this.details.field !== "" ? this.details.field : undefined;
  }

  /** Whether the same request may succeed later, unchanged. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export interface RequestOptions {
  body?: unknown;
  query?: Record<string, string | number | boolean | undefined>;
  signal?: AbortSignal;
  /** Send no access token: registering, logging in, refreshing. */
  anonymous?: boolean;
}

let source: TokenSource | undefined;

export function setTokenSource(tokens: TokenSource | undefined): void {
  source = tokens;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/**
 * Send a request and return the answer's JSON, or undefined where it has none.
 *
 * The type is the caller's claim: schema.gen.ts is generated from what the server sends.
 *
 * @throws ApiError, or the signal's reason where `signal` was aborted.
 */
async function request<Answer>(method: Method, path: string, options: RequestOptions = {}): Promise<Answer> {
  if (options.anonymous === true || source === undefined) return send<Answer>(method, path, options);
  const token = await source.token();
  try {
    return await send<Answer>(method, path, options, token);
  } catch (error) {
    if (!(error instanceof ApiError) || !RENEWABLE.has(error.code)) throw error;
    return send<Answer>(method, path, options, await source.renew(token));
  }
}

async function send<Answer>(method: Method, path: string, options: RequestOptions, token?: string): Promise<Answer> {
  const headers = new Headers({ accept: "application/json" });
  if (options.body !== undefined) headers.set("content-type", "application/json");
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(withQuery(path, options.query), {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]),
      credentials: "same-origin",
      cache: "no-store",
    });
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as Answer;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw deadline.aborted
      ? new ApiError("timeout", "The server did not answer in time.")
      : new ApiError("network", error instanceof Error ? error.message : "The server cannot be reached.");
  }
  throw await failure(response);
}

interface Envelope {
  error?: { code?: string; message?: string; retry_after?: number; details?: Record<string, unknown> };
}

/** An answer that is not the server's own, such as a proxy's page, has no envelope: it counts as `unavailable`. */
async function failure(response: Response): Promise<ApiError> {
  const header = Number(response.headers.get("retry-after"));
  const later = header > 0 ? header : undefined;
  let envelope: Envelope = {};
  try {
    envelope = (await response.json()) as Envelope;
  } catch {
    // not JSON: as if it said nothing
  }
  const { code = "unavailable", message = response.statusText, retry_after = later, details } = envelope.error ?? {};
  return new ApiError(code, message, { status: response.status, retryAfter: retry_after, details });
}

function withQuery(path: string, query: RequestOptions["query"] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}

export const http = {
  get: <Answer>(path: string, options?: RequestOptions) => request<Answer>("GET", path, options),
  post: <Answer>(path: string, body?: unknown, options?: RequestOptions) =>
    request<Answer>("POST", path, { ...options, body }),
  put: <Answer>(path: string, body?: unknown, options?: RequestOptions) =>
    request<Answer>("PUT", path, { ...options, body }),
  patch: <Answer>(path: string, body?: unknown, options?: RequestOptions) =>
    request<Answer>("PATCH", path, { ...options, body }),
  delete: <Answer = undefined>(path: string, options?: RequestOptions) => request<Answer>("DELETE", path, options),
};
