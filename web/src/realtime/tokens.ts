/** The access token: in memory only, renewed before it ends, by one tab for all of them. */

import { ApiError } from "@/lib/http";
import type { GrantAnswer } from "./schema.gen";

/** An access token, when it ends (ms of wall time), and how long it lived when it was new (ms). */
export interface AccessToken {
  value: string;
  until: number;
  life: number;
}

/** What a grant has brought; `asked` is when it was asked for. */
export function tokenOf(grant: GrantAnswer, asked: number): AccessToken {
  const life = grant.expires_in * 1_000;
  return { value: grant.access_token, until: asked + life, life };
}

/**
 * Whether a refresh was refused for good, in the server's own words. What a proxy, a hotel's network or nobody answers says nothing
 * of the session: the same token is presented again later.
 */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 401 || error.status === 403) && error.code !== "unavailable";
}

export interface TokenSource {
  /** Spend the refresh cookie for the next grant. */
  refresh: () => Promise<GrantAnswer>;
  /** Run alone among the tabs of this browser. */
  alone: <T>(run: () => Promise<T>) => Promise<T>;
  /** Tell the other tabs; what they tell comes in by `take`. */
  share: (token: AccessToken) => void;
  /** What else came with a refresh: the account as it is now. */
  granted: (grant: GrantAnswer) => void;
  /** Refreshing can never succeed again. */
  ended: (reason: string) => void;
  now: () => number;
}

/** Life, in ms, that a token has left at least when it is handed out; of short-lived ones a quarter. */
const MARGIN = 30_000;
/** The same when a socket is to live on with it, so that there is time to try again; of short-lived ones a third. */
const LONG_MARGIN = 90_000;

export class Tokens {
  #held: AccessToken | undefined;
  #refreshing: Promise<string> | undefined;
  #refused: string | undefined;
  readonly #source: TokenSource;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** When a socket with the token that is held should renew it, in ms of wall time; undefined without one. */
  get renewAt(): number | undefined {
    return this.#held === undefined ? undefined : this.#held.until - Math.min(LONG_MARGIN, this.#held.life / 3);
  }

  /** Hold a token from a login or another tab, unless that which is held lives longer. */
  take(token: AccessToken): void {
    if (token.until > (this.#held?.until ?? 0) && token.value !== this.#refused) this.#held = token;
  }

  /** Take the server's word that a token, by default the one that is held, is not good. */
  refuse(token = this.#held?.value): void {
    if (token === undefined || token !== this.#held?.value) return;
    this.#refused = token;
    this.#held = undefined;
  }

  /**
   * A token that lives for a while, with `long` long enough for a socket, refreshed where need be; callers at the same time share one
   * refresh.
   *
   * @throws {ApiError} the session is over, or the server cannot be reached
   */
  async get(long = false): Promise<string> {
    const held = this.#fresh(long);
    if (held !== undefined) return held;
    this.#refreshing ??= this.#refresh(long).finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  #fresh(long: boolean): string | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    const margin = long ? Math.min(LONG_MARGIN, held.life / 3) : Math.min(MARGIN, held.life / 4);
    return held.until - margin > this.#source.now() ? held.value : undefined;
  }

  async #refresh(long: boolean): Promise<string> {
    return this.#source.alone(async () => {
      // Another tab may have shared a fresh one while this one waited for its turn.
      const shared = this.#fresh(long);
      if (shared !== undefined) return shared;
      const asked = this.#source.now();
      try {
        const grant = await this.#source.refresh();
        this.#source.granted(grant);
        this.#held = tokenOf(grant, asked);
        this.#source.share(this.#held);
        return grant.access_token;
      } catch (error) {
        if (isRefusal(error)) this.#source.ended(error.code);
        throw error;
      }
    });
  }
}
