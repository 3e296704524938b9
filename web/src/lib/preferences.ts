/** What a person chose for this device; it stays when they sign out, and holds nothing of an account. */

import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "system" | "light" | "dark";
export type Density = "comfortable" | "compact";
export type Language = "system" | "en" | "de";
export type TimeFormat = "system" | "12" | "24";

export interface Preferences {
  theme: Theme;
  density: Density;
  language: Language;
  timeFormat: TimeFormat;
  /** Pixels. */
  sidebarWidth: number;
  panelWidth: number;
}

const DEFAULTS: Preferences = {
  theme: "system",
  density: "comfortable",
  language: "system",
  timeFormat: "system",
  sidebarWidth: 264,
  panelWidth: 340,
};

/** Also read by src/early, which paints before this loads. */
const STORAGE_KEY = "parlour.preferences";

export const usePreferences = create<Preferences>()(persist(() => DEFAULTS, { name: STORAGE_KEY, version: 1 }));

export function setPreferences(changes: Partial<Preferences>): void {
  usePreferences.setState(changes);
}
