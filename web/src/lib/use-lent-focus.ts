import { useLayoutEffect, useRef, type RefObject } from "react";
import { useLocation } from "react-router";

const HOME = "data-focus-home";

/** The attribute of where a page's focus is at home: where one writes. */
export const FOCUS_HOME = { [HOME]: "" };

/**
 * What comes and goes beside a page and takes the focus gives it back when it goes: to where it was, or to the page's home. Not
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
        if (document.activeElement === document.body && window.location.pathname === place.current) giveBack(before);
      });
    };
  }, [holder]);
}

function giveBack(before: Element | null): void {
  const home = document.querySelector(`[${HOME}]`) ?? document.getElementById("page");
  const target = before?.isConnected === true && before !== document.body ? before : home;
  if (target instanceof HTMLElement) target.focus();
}
