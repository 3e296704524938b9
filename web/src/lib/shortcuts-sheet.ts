/** Asking for the list of shortcuts from anywhere, such as a menu; the app's shell shows it. */

const asked = new EventTarget();

export function askForShortcuts(): void {
  asked.dispatchEvent(new Event("ask"));
}

export function onShortcutsAsked(show: () => void): () => void {
  asked.addEventListener("ask", show);
  return () => asked.removeEventListener("ask", show);
}
