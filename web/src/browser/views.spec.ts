/** What holds for every view: no bar for assistive technology in either theme, and nothing out of the page from right to left. */

import { beforeAll, expect, test } from "vitest";
import { openStage } from "./stage";
import { setScene, VIEWS, type Scene } from "./views";

/** The browser itself tells of the room that is not there, and of the network that a view is without. */
const stage = await openStage({ expected: /status of 404|net::ERR_INTERNET_DISCONNECTED|WebSocket connection to/ });
let scene: Scene;

beforeAll(async () => {
  scene = await setScene(stage);
});

test.each(VIEWS)("%s", async (_name, open) => {
  const person = await open(scene);
  for (const colorScheme of ["light", "dark"] as const) {
    await person.show(colorScheme);
    // What colours pass through on their way to the other theme is no fault.
    await expect.poll(() => person.seriousFaults(), { message: colorScheme, timeout: 15_000 }).toEqual([]);
  }
  await person.page.evaluate(() => {
    document.documentElement.dir = "rtl";
  });
  for (const viewport of [person.page.viewportSize(), { width: 390, height: 844 }]) {
    if (viewport !== null) await person.page.setViewportSize(viewport);
    expect(await person.overflows(), `${viewport?.width} pixels wide`).toEqual([]);
  }
});
