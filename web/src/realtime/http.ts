/** HTTP of the data layer: JSON in and out, refusals as errors that carry the server's words. */

import type { ErrorBody } from "./schema.gen";

const TIMEOUT = 30_000;

/** The server answered, and said no. */
export class RequestRefused extends Error {
  override readonly name = "RequestRefused";
  constructor(
    readonly status: number,
    readonly error: ErrorBody,
  ) {
    super(error.message);
  }
}

/** No answer came, or none that the server would give (a proxy's page). Nothing is known of what was done. */
export class ServerUnreachable extends Error {
  override readonly name = "ServerUnreachable";
}

export interface Call {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  token?: string;
}

/**
 * Call the server.
 *
 * @throws {RequestRefused} it said no
 * @throws {ServerUnreachable} it could not be asked
 */
export async function call<T>(fetcher: typeof fetch, url: string, { method = "GET", body, token }: Call): Promise<T> {
  const headers = new Headers({ accept: "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  let response: Response;
  let text: string;
  try {
    response = await fetcher(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    text = await response.text();
  } catch (cause) {
    throw new ServerUnreachable("The server cannot be reached.", { cause });
  }
  const value = parsed(text);
  if (response.ok && value !== unreadable) return value as T;
  const error = errorIn(value);
  if (error === undefined) throw new ServerUnreachable(`The answer ${response.status} is not the server's.`);
  throw new RequestRefused(response.status, error);
}

const unreadable = Symbol("unreadable");

function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return unreadable;
  }
}

function errorIn(value: unknown): ErrorBody | undefined {
  if (typeof value !== "object" || value === null || !("error" in value)) return undefined;
  const { error } = value;
  const isBody = typeof error === "object" && error !== null && "code" in error && "message" in error;
  return isBody ? (error as ErrorBody) : undefined;
}
