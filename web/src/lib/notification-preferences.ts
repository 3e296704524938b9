/** What this device notifies of, and when it is quiet. It stays at sign-out and holds nothing of an account. */

import { create } from "zustand";
import { persist } from "zustand/middleware";

export interface NotificationPreferences {
  /** Show notifications of the system, where the browser allows it. */
  enabled: boolean;
  sound: boolean;
  /** Show the message in the notification, rather than only that there is one. */
  preview: boolean;
  /** Asked on this device whether to turn them on, the person waved it away. */
  declined: boolean;
  /** Wall time in ms until which everything is quiet; 0 where it is not. */
  quietUntil: number;
  schedule: QuietSchedule;
}

/** Quiet hours of each day, `22:00` to `07:00` where the person is; they may pass midnight. */
export interface QuietSchedule {
  on: boolean;
  from: string;
  to: string;
}

const DEFAULTS: NotificationPreferences = {
  enabled: true,
  sound: true,
  preview: true,
  declined: false,
  quietUntil: 0,
  schedule: { on: false, from: "20:00", to: "08:00" },
};

const STORAGE_KEY = "parlour.notifications";

export const useNotificationPreferences = create<NotificationPreferences>()(
  persist(() => DEFAULTS, { name: STORAGE_KEY, version: 1 }),
);

export function setNotificationPreferences(changes: Partial<NotificationPreferences>): void {
  useNotificationPreferences.setState(changes);
}

/** Take over what another tab has changed. Returns how to stop. */
export function followOtherTabs(): () => void {
  const changed = ({ key }: StorageEvent) => {
    if (key === STORAGE_KEY) void useNotificationPreferences.persist.rehydrate();
  };
  window.addEventListener("storage", changed);
  return () => window.removeEventListener("storage", changed);
}
