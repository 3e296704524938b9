// Takes the pictures in docs/images of the built client before the real server (`make screenshots`; names of views take some only).
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { CALLER, NOW, TIME_ZONE, VIEWER } from "./screenshots/company.mjs";
import { writeCamera } from "./screenshots/faces.mjs";
import { fill, PASSWORD } from "./screenshots/fill.mjs";
import { startServer, timeOf } from "./screenshots/server.mjs";
import { inside, outside } from "./screenshots/views.mjs";

const FOLDER = fileURLToPath(new URL("../../docs/images/", import.meta.url));
/** Debounced searches, presence and lazy chunks have come by then. */
const SETTLES_MS = 1_200;

const COLOURS = 128; // of a picture: below that, avatars and shadows show steps
const DEVICES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

async function launch(who, folder) {
  const camera = join(folder, `${who}.y4m`);
  await writeCamera(who, camera);
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-video-capture=${camera}`,
    ],
  });
}

async function newPage(browser, origin, device) {
  const context = await browser.newContext({
    ...DEVICES[device],
    baseURL: origin,
    locale: "en-GB",
    timezoneId: TIME_ZONE,
    reducedMotion: "reduce",
    serviceWorkers: "block",
  });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  await page.clock.setFixedTime(timeOf(`0 ${NOW}`));
  return page;
}

async function signIn(page, username) {
  await page.goto("/login");
  await page.getByLabel("Username or e-mail").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("/");
}

async function take(page, path) {
  await page.evaluate("document.fonts.ready.then(() => undefined)");
  await page.waitForTimeout(SETTLES_MS);
  const picture = await page.screenshot({ animations: "disabled", caret: "hide" });
  await sharp(picture).png({ palette: true, colours: COLOURS, effort: 10 }).toFile(path);
}

async function takeAll(views, device, world) {
  for (const view of views) {
    const themes = view[device] ?? [];
    if (themes.length === 0 || (world.only.length > 0 && !world.only.includes(view.name))) continue;
    await world.page.emulateMedia({ colorScheme: themes[0] });
    const close = await view.open(world);
    for (const theme of themes) {
      await world.page.emulateMedia({ colorScheme: theme });
      await take(world.page, join(FOLDER, `${view.name}-${device}-${theme}.png`));
    }
    await close?.();
  }
}

async function photograph(server, only) {
  const folder = await mkdtemp(join(tmpdir(), "parlour-cameras-"));
  const company = await fill(server, timeOf);
  const [browser, otherBrowser] = [await launch(VIEWER, folder), await launch(CALLER, folder)];
  try {
    const openCaller = async () => {
      const page = await newPage(otherBrowser, server.origin, "desktop");
      await signIn(page, CALLER);
      return page;
    };
    for (const device of Object.keys(DEVICES)) {
      const page = await newPage(browser, server.origin, device);
      const world = { ...company, page, openCaller, only };
      await takeAll(outside, device, world);
      await signIn(page, VIEWER);
      await takeAll(inside, device, world);
      await page.context().close();
    }
  } finally {
    await Promise.all([browser.close(), otherBrowser.close()]);
    await rm(folder, { recursive: true });
    for (const { socket } of Object.values(company.people)) socket?.close();
  }
}

await mkdir(FOLDER, { recursive: true });
const server = await startServer();
try {
  await photograph(server, process.argv.slice(2));
} finally {
  await server.stop();
}
