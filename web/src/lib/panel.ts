import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

export interface PanelState {
  /** Which panel is open beside the page, from the address: `?panel=members`. */
  panel: string | null;
  open: (name: string) => void;
  close: () => void;
  toggle: (name: string) => void;
}

/** The panel at the end of a page. It is part of the address, so that Back closes it and a link opens it. */
export function usePanel(): PanelState {
  const [search, setSearch] = useSearchParams();
  const panel = search.get("panel");
  const show = useCallback(
    (name: string | null) => {
      setSearch(
        (previous) => {
          const next = new URLSearchParams(previous);
          if (name === null) next.delete("panel");
          else next.set("panel", name);
          return next;
        },
        { replace: panel !== null },
      );
    },
    [setSearch, panel],
  );
  return useMemo(
    () => ({
      panel,
      open: show,
      close: () => show(null),
      toggle: (name: string) => show(panel === name ? null : name),
    }),
    [panel, show],
  );
}
