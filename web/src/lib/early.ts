/**
 * What index.html shows before the application has started (src/early): a form or the frame of the app, in which one can write already.
 * The page that comes in its place takes over what was typed, the caret and the focus. What no page has taken waits for its room.
 */

import { useLayoutEffect } from "react";
import { readAccountItem, removeAccountItem, writeAccountItem } from "./account-storage";
import { joined, keptFor, unsentOf, withKept, type Unsent, type Written, type WrittenInRoom } from "./written";

/** As src/early/early.ts leaves it in the window until the application has taken over. */
export interface Early {
  readonly kind: "login" | "register" | "frame";
  readonly element: HTMLElement;
  /** Whose browser it is, by its own notes. */
  readonly userId: string | null;
  /** The room of the address, for a frame that has a field to write in. */
  readonly roomId: string | undefined;
  readonly written: () => WrittenInRoom;
  readonly focused: () => boolean;
  /** Somebody has sent the form. */
  readonly submitted: () => boolean;
  /** Call back when no text is being composed, which a change of fields would break off. Returns how to forget it. */
  readonly whenFree: (run: () => void) => () => void;
  /** Keep on the device what was written, for the next page. */
  readonly keep: () => void;
  /** Listen to nothing any more. */
  readonly end: () => void;
}

/** How the application is started by src/early/early.ts; there is none while Vite serves the client. */
export interface Start {
  /** The whole style sheet, of which index.html has only what it shows itself, is there; rejects where it cannot be had. */
  readonly styles: Promise<void>;
  /** Say that the application cannot be had, with a button that loads the page again. */
  readonly failed: () => void;
}

declare global {
  interface Window {
    parlourEarly?: Early | undefined;
    parlourStart?: Start;
  }
}

/** The item in which src/early/early.ts keeps what was written. */
const KEPT = "early";

/** ms in which the skeletons of a page go on where those of before were. */
const AFTERWARDS = 1_000;

/** Whose browser it was by the note with which the page began. */
let owner: string | null = null;
let endedAt: number | undefined;
let left: (Unsent & { roomId: string; userId: string | null }) | undefined;

/** Whether index.html's own content is to be seen, or was a moment ago. */
export function isEarlyShown(): boolean {
  if (typeof window === "undefined") return true; // it is being made
  return window.parlourEarly !== undefined || (endedAt !== undefined && performance.now() - endedAt < AFTERWARDS);
}

/** What is drawn now is behind index.html's own content: it has no focus before it has taken over, and to ask for it lays out the page. */
export function isBehindEarly(): boolean {
  return window.parlourEarly !== undefined;
}

/** The page is there, and has no field for what was written: it waits for its room. */
export function useEarlyEnd(there = true): void {
  useLayoutEffect(() => (there ? endEarly() : undefined), [there]);
}

function endEarly(): (() => void) | undefined {
  return once((early) => {
    const { roomId } = early;
    if (roomId !== undefined) {
      left = { ...unsentOf(early.written()), roomId, userId: early.userId };
      early.keep();
    }
    remove(early);
  });
}

/**
 * Give a room's field what was written for it before the application had started, once; `kept` is what the application has for a
 * draft by then. Returns how to forget that.
 */
export function takeWritten(
  roomId: string,
  kept: string,
  take: (written: Written, sent: readonly string[], focused: boolean) => void,
): (() => void) | undefined {
  if (window.parlourEarly?.roomId === roomId)
    return once((early) => {
      const written = early.written();
      const focused = early.focused();
      remove(early);
      take(joined(kept, written), written.sent, focused);
      forget(early.userId, roomId);
    });
  const userId = left?.roomId === roomId ? left.userId : owner;
  const unsent =
    left?.roomId === roomId ? left : userId === null ? undefined : keptFor(readAccountItem(userId, KEPT), roomId);
  if (unsent !== undefined) {
    const { text, base } = unsent;
    if (unsent === left) left = undefined;
    if (text !== base)
      take(joined(kept, { text, base, start: text.length, end: text.length, sent: [], sentBase: "" }), [], false);
    forget(userId, roomId);
  }
  return endEarly();
}

/** A form's fields by name, and which of them has the focus. */
export interface FilledForm {
  values: Readonly<Record<string, string>>;
  focus: { name: string; start: number; end: number } | undefined;
  submitted: boolean;
}

/** Give a form what was filled in before the application had started, once. Returns how to forget that. */
export function takeForm(kind: "login" | "register", take: (filled: FilledForm) => void): (() => void) | undefined {
  if (window.parlourEarly?.kind !== kind) return endEarly();
  return once((early) => {
    const inputs = [...early.element.querySelectorAll("input")];
    const active = inputs.find((input) => input === document.activeElement);
    const filled: FilledForm = {
      values: Object.fromEntries(inputs.map(({ name, value }) => [name, value])),
      focus: active && {
        name: active.name,
        start: active.selectionStart ?? active.value.length,
        end: active.selectionEnd ?? active.value.length,
      },
      submitted: early.submitted(),
    };
    remove(early);
    take(filled);
  });
}

/** Put the focus and the caret where they were. */
export function focusFilled(form: HTMLFormElement | null, { focus }: FilledForm): void {
  const input = focus && form?.elements.namedItem(focus.name);
  if (focus === undefined || !(input instanceof HTMLInputElement)) return;
  input.focus();
  // A field for an e-mail address has no caret that a script may set.
  if (input.selectionStart !== null) input.setSelectionRange(focus.start, focus.end);
}

/** As soon as no text is being composed, unless another has taken over by then. Returns how to forget it. */
function once(takeOver: (early: Early) => void): (() => void) | undefined {
  const early = window.parlourEarly;
  return early?.whenFree(() => {
    if (window.parlourEarly === early) takeOver(early);
  });
}

function forget(userId: string | null, roomId: string): void {
  if (userId === null) return;
  const others = withKept(readAccountItem(userId, KEPT), roomId);
  if (others.length > 0) writeAccountItem(userId, KEPT, others);
  else removeAccountItem(userId, KEPT);
}

function remove(early: Early): void {
  delete window.parlourEarly;
  owner = early.userId;
  endedAt = performance.now();
  early.end();
  early.element.remove();
  const root = document.getElementById("root");
  if (root !== null) root.inert = false;
  performance.mark("parlour.taken-over");
}
