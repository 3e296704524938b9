/** What one sees, and keeps, where the application's files cannot be had. */

import { beforeEach, describe, expect, test } from "vitest";
import type { Account } from "./account";
import { valueOf } from "./fields";
import { openStage, type Visit } from "./stage";

const stage = await openStage();
let ann: Account;
let room: string;

beforeEach(async () => {
  ann = await stage.account("ann");
  room = await ann.direct(await stage.account("ben"));
});

describe("where the application cannot be had", () => {
  /** A page of which the files like this do not come before `mend`. */
  async function broken(files: string, path: string, account?: Account, visit: Visit = {}) {
    stage.expect(/net::ERR_FAILED|dynamically imported module|style sheet could not/);
    const storageState = await account?.signIn();
    const person = await stage.stranger({ ...(storageState && { storageState }), ...visit }, account);
    await person.context.route(files, (route) => route.abort());
    await person.page.goto(path, { waitUntil: "commit" });
    return { person, early: person.page.locator("#early"), mend: () => person.context.unroute(files) };
  }

  test.each(["**/assets/base-*.js", "**/assets/index-*.js", "**/assets/en-*.js", "**/assets/*.css"])(
    "for want of %s, the page says so and can be loaded again, with what was written",
    async (files) => {
      const { person, early, mend } = await broken(files, `/r/${room}`, ann);
      const alert = early.getByRole("alert");
      await alert.waitFor();
      expect(await alert.innerText()).toMatch(/^Parlour could not be loaded/);
      expect(await early.getAttribute("aria-busy")).toBe("false");
      await early.getByRole("textbox").fill("kept");
      await mend();
      await alert.getByRole("button", { name: "Reload" }).click();
      await early.waitFor({ state: "detached" });
      expect(await valueOf(person.composer)).toBe("kept");
    },
  );

  test.each(["**/assets/base-*.js", "**/assets/index-*.js"])("a %s that cannot be parsed is none", async (files) => {
    stage.expect(/^\s*$/);
    const storageState = await ann.signIn();
    const person = await stage.stranger({ storageState }, ann);
    await person.context.route(files, (route) => route.fulfill({ contentType: "text/javascript", body: "<html>" }));
    await person.page.goto(`/r/${room}`, { waitUntil: "commit" });
    await person.page.locator("#early").getByRole("alert").waitFor();
    await person.page.close(); // by then every fault is known
    expect(person.faults.splice(0).filter((fault) => !fault.startsWith("page:"))).toEqual([]);
  });

  test("what was sent goes back into the field", async () => {
    stage.expect(/net::ERR_FAILED/);
    const storageState = await ann.signIn();
    const person = await stage.stranger({ storageState }, ann);
    let fail = (): void => undefined;
    const failing = new Promise<void>((resolve) => (fail = resolve));
    await person.context.route("**/assets/index-*.js", async (route) => {
      await failing;
      await route.abort();
    });
    await person.page.goto(`/r/${room}`, { waitUntil: "commit" });
    const early = person.page.locator("#early");
    await early.getByRole("textbox").fill("on its way");
    await person.page.keyboard.press("Enter");
    await early.getByText("on its way").waitFor();
    fail();
    await early.getByRole("alert").waitFor();
    expect(await valueOf(early.getByRole("textbox"))).toBe("on its way");
    await person.page.keyboard.press("Enter");
    expect(await valueOf(early.getByRole("textbox"))).toBe("on its way");
  });

  test.each(["/login", "/signed-out"])(
    "%s says so in the language of the browser, without serious faults",
    async (path) => {
      const { person, early } = await broken("**/assets/*.js", path, undefined, { locale: "de-DE" });
      await early.getByRole("alert").getByRole("button", { name: "Neu laden" }).waitFor();
      expect(await person.seriousFaults()).toEqual([]);
      await person.look({ width: 320, height: 640, letters: 2 });
      expect(await person.overflows()).toEqual([]);
    },
  );
});
