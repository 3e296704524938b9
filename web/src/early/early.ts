/**
 * In the body, before the first paint and the application: shows the page that the address and the device's notes lead to, takes what is
 * typed until the application takes over (lib/early.ts), and only then, after the first paint, has it started.
 */

import type { Early } from "@/lib/early";
import { keptFor, unsentOf, withKept, type Unsent, type WrittenInRoom } from "@/lib/written";
import { keptDraft } from "./kept-draft";

/** By scripts/early-plugin.ts: the pages' HTML, in which texts are `⟦namespace:key⟧`, the texts by language, and what each page needs. */
declare const PAGES: Record<Early["kind"], string>;
declare const TEXTS: Record<string, Record<string, string>>;
/** What says that the application cannot be had, as the pages are. */
declare const FAILED: string;

/** The server takes no longer messages. */
const MAX_CHARACTERS = 8_000;
/** ms until the application is started where nothing is painted, as in a tab behind others. */
const LATEST = 300;

const noted = (key: string): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};

const userId = noted("parlour.account");
const path = location.pathname;
const kind = userId !== null ? "frame" : path === "/register" ? "register" : "login";
let asked = false;
let failed = false;
/** Take back what the page shows as if it were on its way. */
let giveUp = (): void => undefined;
const shown = document.getElementById("early");
if (shown !== null && (userId !== null || path !== "/signed-out")) show(shown);

// A file that cannot be parsed or run has come all the same: nothing but this tells.
addEventListener("error", ({ filename }) => {
  if (filename.includes("/assets/") && document.getElementById("root")?.childElementCount === 0) fail();
});
window.parlourStart = {
  styles: new Promise((resolve, reject) => {
    requestAnimationFrame(() => setTimeout(() => start(resolve, reject)));
    setTimeout(() => start(resolve, reject), LATEST);
  }),
  failed: fail,
};
window.parlourStart.styles.catch(fail);

/** The application's styles and scripts, which the head has fetched and compiled by now. */
function start(styled: () => void, unstyled: (error: Error) => void): void {
  if (asked) return;
  asked = true;
  const [entry, base, styles] = ["entry", "base", "styles"].map(
    (name) => document.querySelector<HTMLLinkElement>(`link[data-${name}]`)?.href ?? "",
  );
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.crossOrigin = "";
  sheet.onload = styled;
  sheet.onerror = () => unstyled(new Error("The style sheet could not be loaded."));
  sheet.href = styles ?? "";
  document.head.append(sheet);
  // What others have written runs first: in one piece with the rest it would keep a key waiting for twice as long.
  const rest = () => setTimeout(() => run(entry, fail));
  run(base, rest).onload = rest;
}

/** Fetch and run a module, and all that it imports. */
function run(src = "", failing: () => void): HTMLScriptElement {
  const script = document.createElement("script");
  script.type = "module";
  script.crossOrigin = "";
  script.src = src;
  script.onerror = failing;
  document.head.append(script);
  return script;
}

/** Nothing takes over any more. What was written in a room is kept for the next page; a form keeps nothing. */
function fail(): void {
  if (shown === null || failed) return;
  failed = true;
  const texts = textsOfLanguage();
  const message = document.createElement("div");
  message.innerHTML = withTexts(FAILED, texts);
  message.querySelector("button")?.addEventListener("click", () => location.reload());
  shown.ariaBusy = "false";
  shown.hidden = false;
  shown.append(message);
  giveUp();
}

function withTexts(html: string, texts: Record<string, string>): string {
  return html.replace(/⟦(.+?)⟧/g, (_, key: string) => texts[key] ?? "");
}

function show(element: HTMLElement): void {
  const gone = new AbortController();
  const { signal } = gone;
  const texts = textsOfLanguage();
  element.innerHTML = withTexts(PAGES[kind], texts);
  element.hidden = false;
  const root = document.getElementById("root");
  if (root !== null) root.inert = true; // what is drawn behind is not to be reached yet
  // What cannot do anything yet.
  for (const button of element.querySelectorAll("button")) if (button.type !== "submit") button.ariaDisabled = "true";

  for (const button of element.querySelectorAll("button[lang]"))
    button.ariaCurrent = String(button.getAttribute("lang") === document.documentElement.lang);

  const room = /^\/r\/([^/]+)/.exec(path)?.[1];
  const roomId = kind === "frame" ? room : undefined;
  if (path === "/") element.dataset.home = "";
  if (roomId === undefined) element.querySelector("[data-early=room]")?.remove();

  let composing = false;
  let submitted = false;
  const waiting = new Set<() => void>();
  element.addEventListener("compositionstart", () => (composing = true), { signal });
  element.addEventListener(
    "compositionend",
    () => {
      composing = false;
      // Once the field has taken what was composed.
      setTimeout(() => {
        if (!composing) for (const run of [...waiting]) if (waiting.delete(run)) run();
      });
    },
    { signal },
  );

  const form = element.querySelector("form");
  form?.addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      const button = form.querySelector<HTMLButtonElement>("[type=submit]");
      if (button === null || submitted || failed) return;
      submitted = true;
      const before = button.textContent;
      giveUp = () => {
        submitted = false;
        button.ariaDisabled = null;
        button.textContent = before;
      };
      button.ariaDisabled = "true";
      button.textContent = texts[kind === "login" ? "auth:login.submitting" : "auth:register.submitting"] ?? "";
    },
    { signal },
  );
  const wanted = new URLSearchParams(
    path === "/" || form === null ? {} : { next: path + location.search + location.hash },
  );
  const search =
    path === "/login" || path === "/register" ? location.search : wanted.size > 0 ? `?${wanted.toString()}` : "";
  for (const link of element.querySelectorAll("a")) link.search = search;

  const field = element.querySelector("textarea");
  const written: WrittenInRoom & { sent: string[] } = { text: "", start: 0, end: 0, base: "", sent: [], sentBase: "" };
  const read = (): WrittenInRoom => {
    if (field === null) return written;
    return { ...written, text: field.value, start: field.selectionStart, end: field.selectionEnd };
  };
  const keep = () => {
    if (userId === null || roomId === undefined || noted("parlour.account") !== userId) return;
    const unsent = unsentOf(read());
    const before = allKept(userId);
    const kept = withKept(before, roomId, unsent.text === unsent.base ? undefined : unsent);
    try {
      if (kept.length > 0) localStorage.setItem(keptKey(userId), JSON.stringify(kept));
      else if (before !== null) localStorage.removeItem(keptKey(userId));
    } catch {
      // no storage, or none left
    }
  };
  window.parlourEarly = {
    kind,
    element,
    userId,
    roomId,
    written: read,
    focused: () => field !== null && field === document.activeElement,
    submitted: () => submitted,
    whenFree: (run) => {
      if (composing) waiting.add(run);
      else run();
      return () => waiting.delete(run);
    },
    keep,
    end: () => gone.abort(),
  };
  if (field !== null && userId !== null && roomId !== undefined) follow(field, roomId, userId);

  function follow(area: HTMLTextAreaElement, id: string, user: string): void {
    const coarse = matchMedia("(pointer: coarse)").matches;
    const put = (text: string) => {
      area.value = text;
      area.setSelectionRange(text.length, text.length);
    };
    const send = () => {
      const text = area.value;
      if (failed || text.trim() === "" || text.length > MAX_CHARACTERS) return;
      if (written.sent.length === 0) written.sentBase = written.base;
      written.sent.push(text);
      written.base = "";
      put("");
      paint();
      area.focus();
      const list = element.querySelector("[data-early=sent]");
      const item = element.querySelector<HTMLTemplateElement>("template")?.content.cloneNode(true);
      if (list === null || !(item instanceof DocumentFragment)) return;
      const line = item.querySelector("p");
      if (line !== null) line.textContent = text;
      list.append(item);
      list.scrollTop = list.scrollHeight;
    };
    const composer = element.querySelector<HTMLElement>("[data-early=composer]");
    const button = composer?.querySelector<HTMLButtonElement>("[data-tooltip-keys=Enter]");
    /** As the composer's button is. */
    const paint = () => {
      const sendable = area.value.trim() !== "";
      if (!button || !composer) return;
      button.ariaDisabled = String(!sendable);
      button.className = (sendable ? composer.dataset.sendable : composer.dataset.empty) ?? "";
    };
    const kept = keptText(user, id) ?? leftDraft(user, id);
    if (kept !== undefined) {
      written.base = kept.base;
      put(kept.text);
    } else
      // Not while the page is drawn for the first time, and not where something later is known, which may be that it was sent.
      requestAnimationFrame(() =>
        keptDraft(user, id, (text) => {
          if (signal.aborted || area.value !== "" || written.sent.length > 0) return;
          written.base = text;
          put(text);
          paint();
        }),
      );
    const takeBack = () => {
      if (written.sent.length === 0) return;
      const { text, base } = unsentOf(read());
      Object.assign(written, { base, sent: [], sentBase: "" });
      put(text);
      paint();
      element.querySelector("[data-early=sent]")?.replaceChildren();
    };
    giveUp = () => window.parlourEarly?.whenFree(takeBack);
    area.addEventListener("input", paint, { signal });
    area.addEventListener(
      "keydown",
      (event) => {
        // As TextField does.
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- Safari tells in no other way
        if (event.isComposing || event.keyCode === 229) return;
        if (event.key !== "Enter" || event.shiftKey || (coarse && !event.ctrlKey)) return;
        event.preventDefault();
        send();
      },
      { signal },
    );
    button?.addEventListener("click", send, { signal });
    addEventListener("pagehide", keep, { signal });
    document.addEventListener("freeze", keep, { signal });
    document.addEventListener("visibilitychange", () => document.hidden && keep(), { signal });
    paint();
    if (!coarse) area.focus();
  }
}

function keptKey(user: string): string {
  return `parlour.account.${user}.early`;
}

/** What was written on a page that was left before the application had taken it. */
function keptText(user: string, roomId: string): Unsent | undefined {
  return keptFor(allKept(user), roomId);
}

/** What is kept for all rooms; null where nothing is. */
function allKept(user: string): unknown {
  try {
    return JSON.parse(noted(keptKey(user)) ?? "null");
  } catch {
    return []; // not ours
  }
}

/** The room's draft, where the page before was left before the device's database had taken it (realtime/drafts.ts, which drops it). */
function leftDraft(user: string, roomId: string): Unsent | undefined {
  try {
    const left = JSON.parse(noted(`parlour.account.${user}.drafts`) ?? "[]") as { roomId?: unknown; text?: unknown }[];
    const text = left.find((each) => each.roomId === roomId)?.text;
    return typeof text === "string" ? { text, base: text } : undefined;
  } catch {
    return undefined; // not ours
  }
}

/** As lib/i18n.ts chooses. */
function textsOfLanguage(): Record<string, string> {
  let chosen: string | undefined;
  try {
    const saved = JSON.parse(noted("parlour.preferences") ?? "null") as { state?: { language?: string } } | null;
    chosen = saved?.state?.language;
  } catch {
    // not ours
  }
  const asked =
    chosen === undefined || chosen === "system" ? navigator.languages.map((tag) => tag.split("-")[0] ?? "") : [chosen];
  const language = asked.find((each) => each in TEXTS) ?? "en";
  document.documentElement.lang = language;
  return TEXTS[language] ?? {};
}
