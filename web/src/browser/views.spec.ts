/** What holds for every view: no bar for assistive technology in either theme, and all of it fits, also in large letters and from right to left. */

import { beforeAll, expect, test } from "vitest";
import { openStage } from "./stage";
import { setScene, VIEWS, type Scene } from "./views";

/** The browser itself tells of the room that is not there, and of the network that a view is without. */
const stage = await openStage({ expected: /status of 404|net::ERR_INTERNET_DISCONNECTED|WebSocket connection to/ });
let scene: Scene;

const DESKTOP = { width: 1280, height: 720 };

/** In letters of twice the size (WCAG 1.4.4), two columns need a window of 1536 pixels: 1280 are then drawn as a phone's. */
const WINDOWS = [
  ["a phone in large letters", { width: 390, height: 844, letters: 2 }],
  ["a desktop in large letters", { width: 1600, height: 900, letters: 2 }],
  ["a desktop from right to left", { ...DESKTOP, dir: "rtl" }],
  ["a phone from right to left", { width: 390, height: 844, dir: "rtl" }],
] as const;

beforeAll(async () => {
  scene = await setScene(stage);
});

test.each(VIEWS)("%s", async (_name, open) => {
  await scene.person.look(DESKTOP);
  const person = await open(scene);
  await person.look(DESKTOP); // for whoever stays may have looked at the view before this one through another window
  await person.show("light");
  expect(await person.seriousFaults(), "light").toEqual([]);
  await person.show("dark");
  expect(await person.seriousFaults("colours"), "dark").toEqual([]);
  for (const [name, window] of WINDOWS) {
    await person.look(window);
    expect.soft(await person.overflows(), name).toEqual([]);
  }
});

test("whoever wants less motion sees a change at once", async () => {
  const heights = await scene.person.page.evaluate(() => {
    const box = document.body.appendChild(document.createElement("div"));
    return ["10px", "20px"].map((height) => {
      box.style.height = height;
      return box.offsetHeight;
    });
  });
  expect(heights).toEqual([10, 20]);
});
