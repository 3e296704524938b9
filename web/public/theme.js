// Before the first paint: the theme that was chosen, so that a dark page never flashes white. lib/theme.ts follows it from then on.
{
  let theme = "system";
  try {
    theme = JSON.parse(localStorage.getItem("parlour.preferences")).state.theme;
  } catch {
    // nothing chosen yet, or no storage: the system's
  }
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
}
