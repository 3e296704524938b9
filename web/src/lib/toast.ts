/** Short notices in a corner. `toast()` may be called from anywhere; components/ui/toaster.tsx shows them. */

import { createStore, useStore } from "zustand";

export interface Toast {
  id: string;
  title: string;
  description?: string;
  kind: "neutral" | "success" | "error";
  action?: { label: string; run: () => void };
  /** Milliseconds; Infinity stays until it is closed. */
  duration: number;
  /** When the person closed it, or its time was over. */
  onDismiss?: () => void;
  open: boolean;
}

export type ToastOptions = Partial<Omit<Toast, "open" | "title">>;

/** More would cover the page. */
const MAX_TOASTS = 3;
const DURATION_MS = 6_000;
const LEAVING_MS = 200;

const store = createStore<{ toasts: readonly Toast[] }>(() => ({ toasts: [] }));
let made = 0;

/** Show a notice and return its id; one with the same id replaces the earlier one. */
export function toast(title: string, options: ToastOptions = {}): string {
  const id = options.id ?? `toast-${++made}`;
  const added: Toast = { kind: "neutral", duration: DURATION_MS, ...options, title, id, open: true };
  store.setState(({ toasts }) => ({
    toasts: [...toasts.filter((other) => other.id !== id), added].slice(-MAX_TOASTS),
  }));
  return id;
}

/** Close a notice; it is forgotten once its animation is over. `silent`: its `onDismiss` is not called. */
export function dismissToast(id: string, { silent = false } = {}): void {
  if (!silent)
    store
      .getState()
      .toasts.find((one) => one.id === id && one.open)
      ?.onDismiss?.();
  store.setState(({ toasts }) => ({ toasts: toasts.map((one) => (one.id === id ? { ...one, open: false } : one)) }));
  setTimeout(() => {
    store.setState(({ toasts }) => ({ toasts: toasts.filter((one) => one.id !== id || one.open) }));
  }, LEAVING_MS);
}

export function useToasts(): readonly Toast[] {
  return useStore(store, (state) => state.toasts);
}
