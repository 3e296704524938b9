/** Many changes, one update of the screen: 50 events a second must not be 50 renderings. */

/** In a hidden page no frame is ever drawn, and a badge may still have to change. */
const HIDDEN_DELAY = 200;

/** Returns a function that has `flush` called once before the next frame, however often it is called itself. */
export function oncePerFrame(flush: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    const run = () => {
      waiting = false;
      flush();
    };
    if (typeof requestAnimationFrame === "undefined") setTimeout(run, 0);
    else if (document.hidden) setTimeout(run, HIDDEN_DELAY);
    else requestAnimationFrame(run);
  };
}
