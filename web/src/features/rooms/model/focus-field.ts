/** For `onOpenAutoFocus` of a dialog: its first field, rather than the button that closes it. */
export function focusField(event: Event): void {
  const dialog = event.currentTarget ?? event.target;
  const field = dialog instanceof Element ? dialog.querySelector<HTMLElement>("input, textarea, select") : null;
  if (field === null) return;
  event.preventDefault();
  field.focus();
}
