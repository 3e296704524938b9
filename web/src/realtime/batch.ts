/** Many changes, one update of the screen: 50 events a second must not be 50 renderings. */

/** In a page that is hidden, or is just being hidden, no frame is drawn, and a badge may still have to change. */
const HIDDEN_DELAY = 200;
/** From one update to the next, at least: nobody tells what follows sooner apart, and the frames between are the scrolling's. */
const INTERVAL = 50;
const FRAME = 16;

/** Updates of one screen: what waits is flushed together, so that it is drawn once for all of it. */
export class Updates {
  readonly #waiting = new Set<() => void>();
  #updated = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #cancel: () => void = () => undefined;

  /**
   * Returns a function that has `flush` called once, however often it is called itself: before the next frame, or once the last update
   * is 50 ms past.
   */
  coalesced(flush: () => void): () => void {
    return () => {
      this.#waiting.add(flush);
      if (this.#timer === undefined) this.#schedule();
    };
  }

  #schedule(): void {
    const frames = typeof requestAnimationFrame !== "undefined";
    this.#timer = setTimeout(() => this.#update(), frames ? HIDDEN_DELAY : 0);
    if (!frames) return;
    const pause = this.#updated + INTERVAL - performance.now();
    if (pause > FRAME) {
      const end = setTimeout(() => this.#beforeNextFrame(), pause - FRAME);
      this.#cancel = () => clearTimeout(end);
    } else this.#beforeNextFrame();
  }

  #beforeNextFrame(): void {
    const frame = requestAnimationFrame(() => this.#update());
    this.#cancel = () => cancelAnimationFrame(frame);
  }

  #update(): void {
    clearTimeout(this.#timer);
    this.#cancel();
    this.#timer = undefined;
    this.#updated = performance.now();
    const flushes = [...this.#waiting];
    this.#waiting.clear();
    for (const flush of flushes) flush();
  }
}
