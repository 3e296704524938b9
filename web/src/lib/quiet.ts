/** When a device is quiet. Pure: the time is given. */

import type { NotificationPreferences, QuietSchedule } from "./notification-preferences";

const DAY_MINUTES = 24 * 60;

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return hours * 60 + minutes;
}

/** Whether quiet hours are at this time, where the person is. */
export function inSchedule({ on, from, to }: QuietSchedule, now: Date): boolean {
  if (!on || from === to) return false;
  const length = (minutesOf(to) - minutesOf(from) + DAY_MINUTES) % DAY_MINUTES;
  const since = (now.getHours() * 60 + now.getMinutes() - minutesOf(from) + DAY_MINUTES) % DAY_MINUTES;
  return since < length;
}

export function isQuiet({ quietUntil, schedule }: NotificationPreferences, now: number): boolean {
  return now < quietUntil || inSchedule(schedule, new Date(now));
}

/** How a device may tell of something that happens at this time. */
export function alertsAt(preferences: NotificationPreferences, now: number): { sound: boolean; notification: boolean } {
  const quiet = isQuiet(preferences, now);
  return { sound: preferences.sound && !quiet, notification: preferences.enabled && !quiet };
}

/** The next morning at eight. */
export function tomorrow(now: number): number {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1, 8).getTime();
}
