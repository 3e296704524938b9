/** Where the focus goes when what had it goes away. */

import { useLayoutEffect, useRef, type RefObject } from "react";
import { useLocation } from "react-router";

const HOME = "data-focus-home";
const PAGE = "page"; // the id of <main>

/** The attribute of where a page's focus is at home: where one writes. */
export const FOCUS_HOME = { [HOME]: "" };

/**
 * What comes and goes beside a page and takes the focus gives it back when it goes: to where it was, or to where one writes. Not
 * where it goes because one was led to another place, which takes the focus itself.
 */
export function useLentFocus(holder: RefObject<HTMLElement | null>): void {
  const { pathname } = useLocation();
  const place = useRef(pathname);
  useLayoutEffect(() => {
    place.current = pathname;
  }, [pathname]);
  useLayoutEffect(() => {
    const element = holder.current;
    const before = document.activeElement;
    return () => {
      if (element?.contains(document.activeElement) !== true) return;
      // Once it is gone: what is removed cannot be left, and what comes in its place may have taken the focus.
      setTimeout(() => {
        if (window.location.pathname === place.current) giveBackFocus(before);
      });
    };
  }, [holder]);
}

/**
 * The page takes the focus when one is led elsewhere and what had it stays behind: keys and screen readers would begin at the
 * top of the document again. What comes, such as a composer, may take it afterwards.
 */
export function useKeptFocus(): void {
  const { pathname } = useLocation();
  const place = useRef(pathname);
  useLayoutEffect(() => {
    if (place.current !== pathname && isFocusFree()) focusPage();
    place.current = pathname;
  }, [pathname]);
}

/** Whether nothing has the focus, or only the page as a whole. */
export function isFocusFree(): boolean {
  return document.activeElement === document.body || document.activeElement?.id === PAGE;
}

/** To what is no control itself and is moved by keys: where one came by touch, nothing shows that it has the focus. */
export function focusQuietly(element: HTMLElement | null): void {
  if (element === null) return;
  if (isByTouch()) {
    element.dataset.focusQuiet = ""; // not every browser has focus({ focusVisible: false })
    element.addEventListener("blur", () => delete element.dataset.focusQuiet, { once: true });
  }
  element.focus({ preventScroll: true });
}

/** To what had it before, while it is there, or to where one writes; unless something else has taken it. */
export function giveBackFocus(before: Element | null): void {
  if (!isFocusFree()) return;
  const home = isByTouch()
    ? null // there the keyboard would come up
    : document.querySelector<HTMLElement>(`[${HOME}]`);
  if (before instanceof HTMLElement && before.isConnected && before !== document.body) before.focus();
  else if (home === null) focusPage();
  else home.focus();
}

function focusPage(): void {
  document.getElementById(PAGE)?.focus({ preventScroll: true });
}

function isByTouch(): boolean {
  return window.matchMedia("(pointer: coarse)").matches;
}
