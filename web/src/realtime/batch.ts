/** Many changes, one update of the screen: 50 events a second must not be 50 renderings. */

/** In a page that is hidden, or is just being hidden, no frame is drawn, and a badge may still have to change. */
const HIDDEN_DELAY = 200;
/** From one update to the next, at least: nobody tells what follows sooner apart, and the frames between are the scrolling's. */
const INTERVAL = 50;
const FRAME = 16;

const waiting = new Set<() => void>();
let updated = -Infinity;
let timer: ReturnType<typeof setTimeout> | undefined;
let cancel: () => void = () => undefined;

/**
 * Returns a function that has `flush` called once, however often it is called itself: before the next frame, or once the last update
 * is 50 ms past. What waits is flushed together, so that the screen is drawn once for all of it.
 */
export function oncePerFrame(flush: () => void): () => void {
  return () => {
    waiting.add(flush);
    if (timer === undefined) schedule();
  };
}

function schedule(): void {
  const frames = typeof requestAnimationFrame !== "undefined";
  timer = setTimeout(update, frames ? HIDDEN_DELAY : 0);
  if (!frames) return;
  const pause = updated + INTERVAL - performance.now();
  if (pause > FRAME) {
    const end = setTimeout(beforeNextFrame, pause - FRAME);
    cancel = () => clearTimeout(end);
  } else beforeNextFrame();
}

function beforeNextFrame(): void {
  const frame = requestAnimationFrame(update);
  cancel = () => cancelAnimationFrame(frame);
}

function update(): void {
  clearTimeout(timer);
  cancel();
  timer = undefined;
  updated = performance.now();
  const flushes = [...waiting];
  waiting.clear();
  for (const flush of flushes) flush();
}
