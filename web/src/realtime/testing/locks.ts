/** Web Locks for tests: exclusive, first come first served, as the specification says; `die` is what a closed tab does. */

import type { Locks } from "../tabs";

interface Waiting {
  tab: object;
  signal: AbortSignal | undefined;
  grant: () => void;
}

export class FakeLocks {
  readonly #held = new Map<string, object>();
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #dead = new Set<object>();

  /** The lock manager of a new tab, and how the tab dies. */
  open(): { locks: Locks; die: () => void } {
    const tab = {};
    const die = () => {
      this.#dead.add(tab);
      for (const [name, holder] of this.#held) if (holder === tab) this.#release(name);
    };
    return { locks: { request: (name, options, run) => this.#request(tab, name, options.signal, run) }, die };
  }

  async #request<T>(tab: object, name: string, signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
    await new Promise<void>((grant, refuse) => {
      signal?.addEventListener("abort", () => refuse(new DOMException("", "AbortError")));
      this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), { tab, signal, grant }]);
      this.#grant(name);
    });
    try {
      return await run();
    } finally {
      if (this.#held.get(name) === tab) this.#release(name);
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
