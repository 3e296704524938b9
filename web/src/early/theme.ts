/** In the head, before the first paint: theme and density that were chosen (lib/theme.ts follows them), and the sidebar's width. */

import type { Preferences } from "@/lib/preferences";

let chosen: Partial<Preferences> = {};
try {
  const saved = JSON.parse(localStorage.getItem("parlour.preferences") ?? "null") as { state?: typeof chosen } | null;
  chosen = saved?.state ?? {};
} catch {
  // no storage, or not ours: the system's
}
const { theme, density = "comfortable", sidebarWidth = 264 } = chosen;
const root = document.documentElement;
const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
root.classList.toggle("dark", dark);
root.dataset.density = density;
root.style.setProperty("--sidebar-width", `${sidebarWidth / 16}rem`);
