/** The longest tasks of a page's main thread, by the browser's own trace: the page itself is told of those over 50 ms alone. */

import type { Browser, Page } from "playwright-core";
import { largest } from "./ledger";

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds that went by, and that the thread had a core. */
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

const CATEGORIES = ["toplevel", "__metadata"];

export interface Longest {
  /** ms that the longest task took. */
  wall: number;
  /** ms of CPU that the busiest one spent: what is left of it where others use the machine, too. */
  cpu: number;
}

/** Run `act`, and return the longest tasks of any page of the browser: let it have one. */
export async function longestTasks(browser: Browser, page: Page, act: () => Promise<void>): Promise<Longest> {
  await browser.startTracing(page, { categories: CATEGORIES });
  let trace: Buffer;
  try {
    await act();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const mainThreads = new Set<string>();
  for (const { name, pid, tid, args } of traceEvents)
    if (name === "thread_name" && args?.name === "CrRendererMain") mainThreads.add(`${pid} ${tid}`);
  const tasks = traceEvents.filter(
    ({ ph, pid, tid, name }) => ph === "X" && name.endsWith("RunTask") && mainThreads.has(`${pid} ${tid}`),
  );
  if (tasks.length === 0) throw new Error("the trace has no tasks of a page");
  return {
    wall: largest(tasks.map(({ dur = 0 }) => dur)) / 1_000,
    cpu: largest(tasks.map(({ tdur = 0 }) => tdur)) / 1_000,
  };
}
