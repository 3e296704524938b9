/** Keyboard shortcuts: whoever has one registers it while mounted, and the `?` sheet lists what is registered. */

import { useEffect, useEffectEvent } from "react";
import { createStore, useStore } from "zustand";

export type ShortcutGroup = "navigation" | "messages" | "composer" | "calls" | "general";

export interface Shortcut {
  /** What it does, translated. */
  label: string;
  group: ShortcutGroup;
  /** Such as `mod+k`, `shift+Escape`, `?`; `mod` is Command on Apple's machines and Control elsewhere. Two are alternatives. */
  keys: string | readonly string[];
  /** Also while somebody types in a field; the default for keys with `mod` or `alt`, and for none else. */
  whileTyping?: boolean;
  /** Listed only: the component handles the key itself. */
  listedOnly?: boolean;
}

interface Registered extends Shortcut {
  id: number;
  run: (event: KeyboardEvent) => unknown;
}

const store = createStore<{ shortcuts: readonly Registered[] }>(() => ({ shortcuts: [] }));
let registered = 0;

export const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Whether an event is this key, such as `mod+shift+a`. A character that needs Shift to type is written without it: `?`. */
export function matches(event: KeyboardEvent, keys: string): boolean {
  const parts = keys === "+" ? ["+"] : keys.split("+");
  const key = parts.at(-1) ?? "";
  const has = (name: string) => parts.slice(0, -1).includes(name);
  const mod = isApple ? event.metaKey : event.ctrlKey;
  const other = isApple ? event.ctrlKey : event.metaKey;
  const typed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const shiftMatters = has("shift") || event.key.length > 1 || /[a-z0-9]/i.test(event.key);
  return (
    typed === (key.length === 1 ? key.toLowerCase() : key) &&
    mod === has("mod") &&
    !other &&
    event.altKey === has("alt") &&
    (!shiftMatters || event.shiftKey === has("shift"))
  );
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function keysOf(shortcut: Shortcut): readonly string[] {
  return typeof shortcut.keys === "string" ? [shortcut.keys] : shortcut.keys;
}

function handle(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const typing = isTyping(event.target);
  // The latest comes first: what a dialog registers is nearer to the person than what the page did.
  for (const shortcut of store.getState().shortcuts.toReversed()) {
    if (shortcut.listedOnly === true) continue;
    const key = keysOf(shortcut).find((keys) => matches(event, keys));
    if (key === undefined || (typing && !(shortcut.whileTyping ?? /mod|alt/.test(key)))) continue;
    if (shortcut.run(event) === false) continue;
    event.preventDefault();
    return;
  }
}

/** Listen to the keyboard; returns what ends that. The app does it once. */
export function followShortcuts(): () => void {
  window.addEventListener("keydown", handle);
  return () => window.removeEventListener("keydown", handle);
}

/** Register a shortcut while the component is mounted. `run` returns false to leave the key to others. */
export function useShortcut(shortcut: Shortcut & { disabled?: boolean }, run: (event: KeyboardEvent) => unknown): void {
  const { label, group, whileTyping, listedOnly, disabled = false } = shortcut;
  const keys = keysOf(shortcut).join(" ");
  const latest = useEffectEvent(run);
  useEffect(() => {
    if (disabled) return;
    const id = ++registered;
    const added: Registered = {
      id,
      label,
      group,
      keys: keys.split(" "),
      run: (event) => latest(event),
      ...(whileTyping === undefined ? {} : { whileTyping }),
      ...(listedOnly === undefined ? {} : { listedOnly }),
    };
    store.setState(({ shortcuts }) => ({ shortcuts: [...shortcuts, added] }));
    return () => store.setState(({ shortcuts }) => ({ shortcuts: shortcuts.filter((other) => other.id !== id) }));
  }, [label, group, keys, whileTyping, listedOnly, disabled]);
}

/** What is registered now, the same label and keys once. */
export function useShortcuts(): readonly Shortcut[] {
  const shortcuts = useStore(store, (state) => state.shortcuts);
  return [...new Map(shortcuts.map((one) => [`${one.label} ${keysOf(one).join()}`, one])).values()];
}

const SYMBOLS: Record<string, string> = {
  mod: isApple ? "\u2318" : "Ctrl",
  alt: isApple ? "\u2325" : "Alt",
  shift: isApple ? "\u21e7" : "Shift",
  Escape: "Esc",
  ArrowUp: "\u2191",
  ArrowDown: "\u2193",
  ArrowLeft: "\u2190",
  ArrowRight: "\u2192",
  Enter: "\u21b5",
};

/** The keys of a shortcut as they are printed on this machine's keyboard. */
export function keyCaps(keys: string): string[] {
  const parts = keys === "+" ? ["+"] : keys.split("+");
  return parts.map((part) => SYMBOLS[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}
