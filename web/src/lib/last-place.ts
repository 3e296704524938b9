import { useEffect } from "react";
import { useLocation } from "react-router";
import { settingsPath } from "./paths";

const START = "/";

let place = START;

/** Keeps where one was before the settings, as long as one is signed in; the shell does it once. */
export function useLastPlaceKept(): void {
  const { pathname, search } = useLocation();
  useEffect(() => {
    if (!`${pathname}/`.startsWith(`${settingsPath()}/`)) place = pathname + search;
  }, [pathname, search]);
  useEffect(
    () => () => {
      place = START;
    },
    [],
  );
}

/** The address outside the settings where one was last. */
export function lastPlace(): string {
  return place;
}
