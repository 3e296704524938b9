/** What is measured, one after the other. */

import { text } from "node:stream/consumers";
import { firstJavaScript } from "../scripts/sizes.mjs";
import { events } from "./events";
import { progress, report } from "./ledger";
import { loads } from "./loading";
import { memory } from "./memory";
import { scroll } from "./scrolling";
import { launch, type World } from "./world";

const PARTS = { loads, scroll, events, memory };

export async function main(): Promise<void> {
  const world = JSON.parse(await text(process.stdin)) as World;
  const unknown = world.only.filter((name) => !(name in PARTS));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(" ")}`);
  const browser = await launch();
  progress(`Chromium ${browser.version()}`);
  try {
    report({ name: "web_first_javascript", values: [(await firstJavaScript()).kilobytes], unit: "KB gzip" });
    for (const [name, measure] of Object.entries(PARTS)) {
      if (world.only.length > 0 && !world.only.includes(name)) continue;
      progress(`— ${name}`);
      await measure(browser, world, world.quick ? 1 : name === "loads" ? 5 : 3);
    }
  } finally {
    await browser.close();
  }
}
