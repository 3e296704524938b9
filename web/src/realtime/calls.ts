/** The events of calls, for features/calls: the data layer only carries them. */

import type { ServerEvent } from "./socket";

/** What the server says of calls. */
export type CallEvent = Extract<ServerEvent, { name: `call.${string}` }>;

export class Calls {
  readonly #listeners = new Set<(event: CallEvent) => void>();

  listen(listener: (event: CallEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: CallEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
