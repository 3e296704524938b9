// Before the first paint: the theme that was chosen, so that a dark page never flashes white (lib/theme.ts follows it from then on),
// and whether the app's frame can be shown already (index.html).
{
  let preferences = {};
  let remembered = false;
  try {
    remembered = localStorage.getItem("parlour.account") !== null;
    preferences = JSON.parse(localStorage.getItem("parlour.preferences"))?.state ?? {};
  } catch {
    // nothing chosen yet, or no storage: the system's
  }
  const { theme, sidebarWidth = 264 } = preferences;
  const { classList, dataset, style } = document.documentElement;
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  classList.toggle("dark", dark);
  if (remembered) dataset.remembered = "";
  style.setProperty("--sidebar-width", `${sidebarWidth / 16}rem`);
}
