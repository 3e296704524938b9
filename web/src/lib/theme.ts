/** Light, dark or as the system says, and how dense, as attributes of the document. */

import { useSyncExternalStore } from "react";
import { usePreferences } from "./preferences";

/** What the browser's own frame is coloured: `--sidebar` of styles/globals.css, which phones show above the page. */
const FRAME = { light: "#f5f6f8", dark: "#101114" };

const systemDark = () => window.matchMedia("(prefers-color-scheme: dark)");

function isDark(): boolean {
  const { theme } = usePreferences.getState();
  return theme === "dark" || (theme === "system" && systemDark().matches);
}

function apply(): void {
  const root = document.documentElement;
  const dark = isDark();
  root.classList.toggle("dark", dark);
  root.dataset.density = usePreferences.getState().density;
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", dark ? FRAME.dark : FRAME.light);
}

/** Apply theme and density now and whenever the preferences or the system change; returns what ends that. */
export function followTheme(): () => void {
  apply();
  const system = systemDark();
  system.addEventListener("change", apply);
  const unsubscribe = usePreferences.subscribe(apply);
  return () => {
    system.removeEventListener("change", apply);
    unsubscribe();
  };
}

function subscribe(changed: () => void): () => void {
  const system = systemDark();
  system.addEventListener("change", changed);
  const unsubscribe = usePreferences.subscribe(changed);
  return () => {
    system.removeEventListener("change", changed);
    unsubscribe();
  };
}

/** Whether the dark theme shows. */
export function useDark(): boolean {
  return useSyncExternalStore(subscribe, isDark);
}
