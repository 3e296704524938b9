// Before the first paint: the theme that was chosen, so that a dark page never flashes white. lib/theme.ts follows it from then on.
(function () {
  var theme = "system";
  try {
    theme = JSON.parse(localStorage.getItem("parlour.preferences")).state.theme;
  } catch (error) {
    // nothing chosen yet, or no storage: the system's
  }
  var dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
