/** Many changes, one update of the screen: 50 events a second must not be 50 renderings. */

/** In a page that is hidden, or is just being hidden, no frame is drawn, and a badge may still have to change. */
const HIDDEN_DELAY = 200;

/** Returns a function that has `flush` called once before the next frame, however often it is called itself. */
export function oncePerFrame(flush: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let frame = 0;
  const run = () => {
    clearTimeout(timer);
    timer = undefined;
    if (frame !== 0) cancelAnimationFrame(frame);
    flush();
  };
  return () => {
    if (timer !== undefined) return;
    const frames = typeof requestAnimationFrame !== "undefined";
    timer = setTimeout(run, frames ? HIDDEN_DELAY : 0);
    if (frames) frame = requestAnimationFrame(run);
  };
}
