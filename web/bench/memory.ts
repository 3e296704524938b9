/** Two hours of a busy team in a minute: what the page holds at its start and after each half of an hour. */

import type { Browser, CDPSession, Page } from "playwright-core";
import { progress, report } from "./ledger";
import { People, steadily, type Act } from "./people";
import { makeRoom, openRoom, signedIn, type World } from "./world";

const ROOMS = 20;
/** Of an hour. */
const ACTS: Readonly<Record<Act, number>> = { message: 3_600, reaction: 600, edit: 200, typing: 300, presence: 100 };
const SWITCHES = 40;
const PER_SECOND = 150;
const HALVES = [1, 2, 3, 4] as const;

/** Open at each measurement, always with the same messages in sight. */
const QUIET = "quiet room";

function nameOf(room: number): string {
  return `room of the hour ${room}`;
}

interface Held {
  /** Bytes of the JavaScript heap after a collection of garbage. */
  heap: number;
  nodes: number;
}

export async function memory(browser: Browser, world: World, repeats: number): Promise<void> {
  const rooms: string[] = [];
  const quiet = await makeRoom(world, QUIET);
  for (let n = 1; n <= ROOMS; n++) rooms.push(await makeRoom(world, nameOf(n)));
  const people = await People.join(world);
  await steadily(PER_SECOND, 1, () => people.act("message", quiet));
  const runs: Held[][] = [];
  for (let repeat = 0; repeat < repeats; repeat++) runs.push(await twoHours(browser, world, quiet, rooms, people));
  people.leave();
  people.check();
  const at = (half: number, what: keyof Held) => runs.map((run) => run[half]?.[what] ?? NaN);
  for (const half of [0, ...HALVES]) {
    const when = half === 0 ? "start" : `half_${half}`;
    report({ name: `web_memory_${when}`, values: at(half, "heap").map((bytes) => bytes / 1e6), unit: "MB JS heap" });
    report({ name: `web_memory_nodes_${when}`, values: at(half, "nodes"), unit: "DOM nodes" });
  }
  const growth = (what: keyof Held) => runs.map(([, , second, , last]) => growing(second?.[what], last?.[what]));
  const unit = "% from the first hour's end to the second's";
  report({ name: "web_memory_growth", values: growth("heap"), unit });
  report({ name: "web_memory_nodes_growth", values: growth("nodes"), unit });
}

function growing(before = NaN, after = NaN): number {
  return 100 * (after / before - 1);
}

async function twoHours(
  browser: Browser,
  world: World,
  quiet: string,
  rooms: readonly string[],
  people: People,
): Promise<Held[]> {
  const context = await signedIn(browser, world);
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await openRoom(page, quiet);
  const part = world.quick ? 0.02 : 0.5;
  const acts = mixed(part);
  const held = [await settled(page, devtools)];
  for (const half of HALVES) {
    const traffic = steadily(PER_SECOND, acts.length / PER_SECOND, (n) =>
      people.act(acts[n] ?? "message", rooms[(n * 7 + half) % rooms.length] ?? quiet),
    );
    await Promise.all([traffic, switching(page, Math.ceil(SWITCHES * part), acts.length / PER_SECOND)]);
    await choose(page, QUIET);
    held.push(await settled(page, devtools));
    progress(`  half ${half}: ${held.map(({ heap }) => (heap / 1e6).toFixed(1)).join(" ")} MB`);
  }
  await context.close();
  return held;
}

/** The acts of a part of the hour, evenly mixed: each kind's n-th stands where n / count is. */
function mixed(part: number): Act[] {
  const placed = (Object.keys(ACTS) as Act[]).flatMap((kind) => {
    const count = Math.round(ACTS[kind] * part);
    return Array.from({ length: count }, (_, n) => ({ kind, at: (n + 0.5) / count }));
  });
  return placed.sort((a, b) => a.at - b.at).map(({ kind }) => kind);
}

async function switching(page: Page, times: number, seconds: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await choose(page, nameOf(((n * 7) % ROOMS) + 1));
    await page.waitForTimeout((1_000 * seconds) / times);
  }
}

async function choose(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Rooms" }).getByText(name, { exact: true }).click();
  await page.getByRole("heading", { name }).first().waitFor();
}

async function settled(page: Page, devtools: CDPSession): Promise<Held> {
  await page.waitForTimeout(2_500); // toasts, caches that wait, frames
  for (let n = 0; n < 3; n++) await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  const { nodes } = await devtools.send("Memory.getDOMCounters");
  return { heap: usedSize, nodes };
}
