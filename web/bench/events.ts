/** Fifty events a second in the open room, beside the same page when nothing happens. */

import type { Browser, Page } from "playwright-core";
import { largest, quantile, report } from "./ledger";
import { People, steadily, type Act } from "./people";
import { dropped, startProbe, stopProbe, type Noted } from "./probe";
import { longestTasks, type Longest } from "./tracing";
import { makeRoom, openRoom, signedIn, type World } from "./world";

const PER_SECOND = 50;
/** Of ten events. */
const MIX: readonly Act[] = [
  "message",
  "message",
  "reaction",
  "message",
  "edit",
  "message",
  "reaction",
  "message",
  "message",
  "message",
];

interface Run extends Noted {
  idle: Noted;
  task: Longest;
}

export async function events(browser: Browser, world: World, repeats: number): Promise<void> {
  const roomId = await makeRoom(world, "fifty a second");
  const people = await People.join(world);
  const runs: Run[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) runs.push(await run(browser, world, roomId, people));
  people.leave();
  people.check();
  const each = (figure: (run: Noted) => number) => ({
    values: runs.map(figure),
    reference: "the same page, idle",
    others: runs.map(({ idle }) => figure(idle)),
  });
  const frames = (figure: (ms: number[]) => number) => each((noted) => figure(noted.frames.map(({ ms }) => ms)));
  report({ name: "web_events_50_frame_p95", ...frames((ms) => quantile(ms, 0.95)), unit: "ms" });
  report({ name: "web_events_50_longest_frame", ...frames(largest), unit: "ms" });
  report({
    name: "web_events_50_dropped",
    ...each((noted) => (100 * dropped(noted.frames)) / noted.frames.length),
    unit: "% of frames",
  });
  report({ name: "web_events_50_longest_task", values: runs.map(({ task }) => task.wall), unit: "ms" });
  report({ name: "web_events_50_longest_task_cpu", values: runs.map(({ task }) => task.cpu), unit: "ms" });
}

async function run(browser: Browser, world: World, roomId: string, people: People): Promise<Run> {
  const context = await signedIn(browser, world);
  const page = await context.newPage();
  await page.goto(`/r/${roomId}`);
  people.act("message", roomId);
  await openRoom(page, roomId);
  await page.waitForTimeout(1_500); // until what begins with a page has begun
  const idle = await noted(page, () => page.waitForTimeout(world.quick ? 1_000 : 5_000));
  let task: Longest = { wall: 0, cpu: 0 };
  const busy = await noted(page, async () => {
    task = await longestTasks(browser, page, () =>
      steadily(PER_SECOND, world.quick ? 3 : 20, (n) => people.act(MIX[n % MIX.length] ?? "message", roomId)),
    );
  });
  await context.close();
  return { ...busy, idle, task };
}

async function noted(page: Page, act: () => Promise<void>): Promise<Noted> {
  await startProbe(page);
  await act();
  return stopProbe(page);
}
