/** A room of 100,000 messages: up through its history by the wheel, then by dragging the scroll bar. */

import type { Browser, Page } from "playwright-core";
import { largest, progress, quantile, report } from "./ledger";
import { dropped, largestJump, messagesSeen, startProbe, stopProbe, type Noted } from "./probe";
import { longestTasks, type Longest } from "./tracing";
import { openRoom, signedIn, type World } from "./world";

const NOTCH_PX = 120;
const MESSAGES = 5_000;
const DRAGS = 6;

interface Run extends Noted {
  task: Longest;
}

export async function scroll(browser: Browser, world: World, repeats: number): Promise<void> {
  const wheel: Run[] = [];
  const drag: Run[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const context = await signedIn(browser, world);
    const page = await context.newPage();
    await openRoom(page, world.room_id);
    await page.waitForTimeout(1_500); // until what begins with a page has begun
    wheel.push(await run(browser, page, () => turnWheel(page, world.quick ? 500 : MESSAGES)));
    await openRoom(page, world.room_id);
    await page.waitForTimeout(1_500);
    drag.push(await run(browser, page, () => dragBar(page)));
    await context.close();
  }
  tell("web_scroll", wheel);
  const jumps = wheel.map(({ frames }) => largestJump(frames, NOTCH_PX));
  report({ name: "web_scroll_jump", values: jumps, unit: "px that a row moved otherwise than by the wheel" });
  tell("web_drag", drag);
}

async function run(browser: Browser, page: Page, act: () => Promise<void>): Promise<Run> {
  await startProbe(page);
  const task = await longestTasks(browser, page, act);
  return { task, ...(await stopProbe(page)) };
}

function tell(name: string, runs: readonly Run[]): void {
  const each = (figure: (run: Run) => number) => runs.map(figure);
  report({ name: `${name}_longest_task`, values: each(({ task }) => task.wall), unit: "ms" });
  report({ name: `${name}_longest_task_cpu`, values: each(({ task }) => task.cpu), unit: "ms" });
  report({ name: `${name}_long_tasks`, values: each(({ longTasks }) => longTasks.length), unit: "tasks over 50 ms" });
  const frameMs = (share: number) => each(({ frames }) => quantile(frames.map(({ ms }) => ms), share)); // prettier-ignore
  report({ name: `${name}_frame_p95`, values: frameMs(0.95), unit: "ms" });
  report({
    name: `${name}_longest_frame`,
    values: each(({ frames }) => largest(frames.map(({ ms }) => ms))),
    unit: "ms",
  });
  report({
    name: `${name}_dropped`,
    values: each(({ frames }) => (100 * dropped(frames)) / frames.length),
    unit: "% of frames",
  });
}

/** Turn the wheel once a frame until so many messages have gone by. */
async function turnWheel(page: Page, messages: number): Promise<void> {
  const { x, y } = await middle(page);
  await page.mouse.move(x, y);
  const began = Date.now();
  let before = Promise.resolve();
  for (let turns = 0; ; turns++) {
    // The browser answers when it has seen to it, a frame later: that is not waited for, but for the one before it.
    const turn = page.mouse.wheel(0, -NOTCH_PX);
    await before;
    before = turn;
    const wait = began + (turns + 1) * (1_000 / 60) - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (turns % 120 !== 119) continue;
    const seen = await messagesSeen(page);
    if (seen < messages && Date.now() - began < 180_000) continue;
    await turn;
    progress(`  ${seen} messages in ${((Date.now() - began) / 1_000).toFixed(1)} s`);
    if (seen < messages) throw new Error(`the wheel came no further than ${seen} messages`);
    return;
  }
}

/** Pull the scroll bar's thumb to the top, again and again: each time older messages come in above. */
async function dragBar(page: Page): Promise<void> {
  const height = () => page.getByRole("log").evaluate((log) => log.scrollHeight);
  const before = await height();
  for (let drag = 0; drag < DRAGS; drag++) {
    const { x, thumb, top } = await page.getByRole("log").evaluate((log) => {
      const box = log.getBoundingClientRect();
      const at = (log.scrollTop + log.clientHeight / 2) / log.scrollHeight;
      return { x: box.right - 4, thumb: box.top + at * box.height, top: box.top };
    });
    await page.mouse.move(x, thumb);
    await page.mouse.down();
    await page.mouse.move(x, top, { steps: 40 });
    await page.waitForTimeout(300);
    await page.mouse.up();
  }
  if ((await height()) < 1.5 * before) throw new Error("dragging has not brought older messages");
}

async function middle(page: Page): Promise<{ x: number; y: number }> {
  const box = await page.getByRole("log").boundingBox();
  if (box === null) throw new Error("the timeline is not shown");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
