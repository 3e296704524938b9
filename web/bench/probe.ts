/** What is noted inside a page while something happens to it. */

import type { Page } from "playwright-core";

/** One frame: the time since the last, how far the row in the middle moved (undefined where it went out of sight), and the wheel. */
export interface Frame {
  ms: number;
  moved: number | undefined;
  wheel: number;
}

export interface Noted {
  frames: Frame[];
  /** Their durations, as the page is told of them. */
  longTasks: number[];
}

interface Probe extends Noted {
  /** The messages that were drawn. */
  seen: Set<string>;
  stop: () => void;
}

declare global {
  interface Window {
    benchProbe?: Probe;
  }
}

/** Begin to note frames, long tasks, and how a row of the timeline moves. */
export function startProbe(page: Page): Promise<void> {
  return page.evaluate(() => {
    const frames: Frame[] = [];
    const longTasks: number[] = [];
    const seen = new Set<string>();
    const log = document.querySelector("[role=log]");
    let [running, last, wheel] = [true, 0, 0];
    let row: Element | undefined;
    let top = 0;
    const turned = (event: WheelEvent) => void (wheel += event.deltaY);
    addEventListener("wheel", turned, { passive: true, capture: true });
    const tasks = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((each) => each.duration)));
    tasks.observe({ type: "longtask" });
    const frame = (now: number) => {
      if (!running) return;
      const moved = row?.isConnected === true ? row.getBoundingClientRect().top - top : undefined;
      if (last > 0) frames.push({ ms: now - last, moved, wheel });
      [last, wheel] = [now, 0];
      if (frames.length % 4 === 0)
        for (const each of document.querySelectorAll("[data-key]")) seen.add(each.getAttribute("data-key") ?? "");
      if (log !== null) {
        const box = log.getBoundingClientRect();
        const middle = box.top + box.height / 2;
        // Not by a hit test: that would have the browser do more than lay out.
        row = Array.from(log.querySelectorAll("[data-index]")).find((each) => {
          const { top: from, bottom } = each.getBoundingClientRect();
          return from <= middle && middle < bottom;
        });
        top = row?.getBoundingClientRect().top ?? 0;
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    const stop = () => {
      running = false;
      tasks.disconnect();
      removeEventListener("wheel", turned, { capture: true });
    };
    window.benchProbe = { frames, longTasks, seen, stop };
  });
}

/** How many messages were drawn since the probe began. */
export function messagesSeen(page: Page): Promise<number> {
  return page.evaluate(() => window.benchProbe?.seen.size ?? 0);
}

export async function stopProbe(page: Page): Promise<Noted> {
  return page.evaluate(() => {
    const { frames = [], longTasks = [], stop } = window.benchProbe ?? {};
    stop?.();
    return { frames, longTasks };
  });
}

/** At 60 frames a second, how many were not drawn. */
export function dropped(frames: readonly Frame[]): number {
  return frames.reduce((sum, { ms }) => sum + Math.max(0, Math.round(ms / (1_000 / 60)) - 1), 0);
}

/**
 * How far rows moved otherwise than by the wheel, at most in one frame. The compositor scrolls before the page hears of the wheel, or
 * after it, and the page hears of several turns at once: what has moved must at every frame be one of the places that whole turns up
 * to a few frames from it lead to.
 */
export function largestJump(frames: readonly Frame[], notch: number, slack = 6): number {
  const turned: number[] = [0];
  for (const { wheel } of frames) turned.push((turned.at(-1) ?? 0) - wheel);
  let places = [0]; // where it may be: one, but after a frame in which the row went away
  let worst = 0;
  frames.forEach(({ moved }, index) => {
    const allowed = wholeTurns(turned.slice(Math.max(0, index - slack), index + 2 + slack), notch);
    if (moved === undefined) {
      places = allowed;
      return;
    }
    const now = places.map((place) => {
      const at = place + moved;
      const nearest = allowed.reduce((best, each) => (Math.abs(each - at) < Math.abs(best - at) ? each : best));
      return { nearest, off: Math.abs(at - nearest) };
    });
    const least = now.reduce((best, { off }) => Math.min(best, off), Infinity);
    worst = Math.max(worst, least);
    places = [...new Set(now.filter(({ off }) => off < least + 1).map(({ nearest }) => nearest))];
  });
  return worst;
}

/** The places between the least and the most, a turn apart. */
function wholeTurns(places: readonly number[], notch: number): number[] {
  const least = Math.min(...places);
  const turns = Math.round((Math.max(...places) - least) / notch);
  return Array.from({ length: turns + 1 }, (_, turn) => least + turn * notch);
}
