/** The access token: in memory only, renewed before it ends, by one tab for all of them. */

import { ApiError } from "@/lib/http";
import type { GrantAnswer } from "./schema.gen";

/** An access token and when it ends, in ms of wall time. */
export interface AccessToken {
  value: string;
  until: number;
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

/** Life, in ms, that a token has left at least when it is handed out. */
const MARGIN = 30_000;

export class Tokens {
  #held: AccessToken | undefined;
  #refreshing: Promise<string> | undefined;
  #refused: string | undefined;
  readonly #source: TokenSource;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** When the token that is held ends; undefined without one. */
  get until(): number | undefined {
    return this.#held?.until;
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
   * A token that lives for `margin` ms more, refreshed where need be; callers at the same time share one refresh.
   *
   * @throws {ApiError} the session is over, or the server cannot be reached
   */
  async get(margin = MARGIN): Promise<string> {
    const held = this.#fresh(margin);
    if (held !== undefined) return held;
    this.#refreshing ??= this.#refresh(margin).finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  #fresh(margin: number): string | undefined {
    const held = this.#held;
    return held !== undefined && held.until - margin > this.#source.now() ? held.value : undefined;
  }

  async #refresh(margin: number): Promise<string> {
    return this.#source.alone(async () => {
      // Another tab may have shared a fresh one while this one waited for its turn.
      const shared = this.#fresh(margin);
      if (shared !== undefined) return shared;
      const asked = this.#source.now();
      try {
        const grant = await this.#source.refresh();
        this.#source.granted(grant);
        this.#held = { value: grant.access_token, until: asked + grant.expires_in * 1_000 };
        this.#source.share(this.#held);
        return grant.access_token;
      } catch (error) {
        if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
          this.#source.ended(error.code);
        }
        throw error;
      }
    });
  }
}
