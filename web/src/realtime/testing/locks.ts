/** Web Locks for tests: exclusive, first come first served, as the specification says; `die` is what a closed tab does. */

import type { Locks } from "../tabs";

interface Waiting {
  tab: object;
  signal: AbortSignal | undefined;
  grant: () => void;
}

interface Options {
  signal?: AbortSignal;
  steal?: boolean;
}

export class FakeLocks {
  readonly #held = new Map<string, object>();
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #dead = new Set<object>();
  readonly #robbed = new Map<string, (error: DOMException) => void>();

  /** The lock manager of a new tab, and how the tab dies. */
  open(): { locks: Locks; die: () => void } {
    const tab = {};
    const die = () => {
      this.#dead.add(tab);
      for (const [name, holder] of this.#held) if (holder === tab) this.#release(name);
    };
    return { locks: { request: (name, options, run) => this.#request(tab, name, options, run) }, die };
  }

  async #request<T>(tab: object, name: string, { signal, steal }: Options, run: () => Promise<T>): Promise<T> {
    if (steal === true) {
      this.#robbed.get(name)?.(new DOMException("", "AbortError"));
      this.#held.delete(name);
    }
    await new Promise<void>((grant, refuse) => {
      signal?.addEventListener("abort", () => refuse(new DOMException("", "AbortError")));
      const others = this.#waiting.get(name) ?? [];
      const mine = { tab, signal, grant };
      this.#waiting.set(name, steal === true ? [mine, ...others] : [...others, mine]);
      this.#grant(name);
    });
    const robbed = new Promise<never>((_, reject) => this.#robbed.set(name, reject));
    const rob = this.#robbed.get(name);
    try {
      return await Promise.race([run(), robbed]);
    } finally {
      if (this.#robbed.get(name) === rob && this.#held.get(name) === tab) this.#release(name);
    }
  }

  #grant(name: string): void {
    if (this.#held.has(name)) return;
    const [first, ...rest] = (this.#waiting.get(name) ?? []).filter(
      (each) => each.signal?.aborted !== true && !this.#dead.has(each.tab),
    );
    this.#waiting.set(name, rest);
    if (first === undefined) return;
    this.#held.set(name, first.tab);
    first.grant();
  }

  #release(name: string): void {
    this.#held.delete(name);
    this.#grant(name);
  }
}
