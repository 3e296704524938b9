/** Times and dates as people here write them: Intl, the language, and 12 or 24 hours. */

import { localeTag, useLanguage } from "./i18n";
import { lazily } from "./lazily";
import { usePreferences, type TimeFormat } from "./preferences";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface Times {
  /** 14:05 */
  time: (at: number) => string;
  /** Today, Yesterday, Monday, 3 March, 3 March 2024: as far as it is needed. */
  day: (at: number, now?: number) => string;
  /** 3 Mar, with the year where it is another: for lists. */
  shortDay: (at: number, now?: number) => string;
  /** The time today, else the day: for lists. */
  brief: (at: number, now?: number) => string;
  /** Monday, 3 March 2025 at 14:05 */
  full: (at: number) => string;
  /** 5 minutes ago */
  relative: (at: number, now?: number) => string;
  /** 1:05 or 1:02:03, from ms. */
  duration: (milliseconds: number) => string;
}

/** Whole days between the calendar days of two times, where the person is. */
export function daysBetween(earlier: number, later: number): number {
  const midnight = (at: number) => {
    const date = new Date(at);
    return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  };
  return Math.round((midnight(later) - midnight(earlier)) / DAY);
}

/** The calendar day of a time, where the person is: from its midnight to the next. */
export function dayOf(at: number): { from: number; to: number } {
  const midnight = new Date(at);
  const from = midnight.setHours(0, 0, 0, 0);
  return { from, to: midnight.setDate(midnight.getDate() + 1) };
}

function capitalised(text: string, locale: string): string {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}

/** `hourCycle` rather than `hour12`, whose midnight is 24:00 in some places. */
const CLOCKS: Record<TimeFormat, Intl.DateTimeFormatOptions> = {
  system: { timeStyle: "short" },
  "12": { hour: "numeric", minute: "2-digit", hourCycle: "h12" },
  "24": { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
};

const made = new Map<string, Times>();

/** Formatters are costly to make and cheap to use: one set per locale and format, for all who ask. */
export function timesFor(locale: string, timeFormat: TimeFormat): Times {
  const key = `${locale} ${timeFormat}`;
  let times = made.get(key);
  if (times === undefined) {
    times = makeTimes(locale, timeFormat);
    made.set(key, times);
  }
  return times;
}

/** Minutes that are remembered. */
const MAX_MINUTES = 500;

/** What `format` makes of a minute: a busy room asks for the same ones again and again, and Intl takes its time for each. */
function byMinute(format: (at: number) => string): (at: number) => string {
  const known = new Map<number, string>();
  return (at) => {
    const minute = Math.floor(at / MINUTE);
    let text = known.get(minute);
    if (text === undefined) {
      text = format(at);
      if (known.size >= MAX_MINUTES) known.clear();
      known.set(minute, text);
    }
    return text;
  };
}

function makeTimes(locale: string, timeFormat: TimeFormat): Times {
  const dates = (options: Intl.DateTimeFormatOptions) => lazily(() => new Intl.DateTimeFormat(locale, options));
  const clock = dates(CLOCKS[timeFormat]);
  const weekday = dates({ weekday: "long" });
  const month = dates({ day: "numeric", month: "long" });
  const year = dates({ day: "numeric", month: "long", year: "numeric" });
  const shortMonth = dates({ day: "numeric", month: "short" });
  const shortYear = dates({ day: "numeric", month: "short", year: "numeric" });
  const long = dates({ dateStyle: "full" });
  const words = lazily(() => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }));

  const time = byMinute((at) => clock().format(at));
  const sameYear = (a: number, b: number) => new Date(a).getFullYear() === new Date(b).getFullYear();
  const shortDay = (at: number, now = Date.now()) => (sameYear(at, now) ? shortMonth : shortYear)().format(at);

  return {
    time,
    shortDay,
    day: (at, now = Date.now()) => {
      const ago = daysBetween(at, now);
      if (ago === 0 || ago === 1) return capitalised(words().format(-ago, "day"), locale);
      if (ago > 1 && ago < 7) return weekday().format(at);
      return (sameYear(at, now) ? month : year)().format(at);
    },
    brief: (at, now = Date.now()) => (daysBetween(at, now) === 0 ? time(at) : shortDay(at, now)),
    full: byMinute((at) => `${long().format(at)}, ${time(at)}`),
    relative: (at, now = Date.now()) => {
      const ago = now - at;
      if (ago < MINUTE) return words().format(0, "minute");
      if (ago < HOUR) return words().format(-Math.floor(ago / MINUTE), "minute");
      if (ago < DAY) return words().format(-Math.floor(ago / HOUR), "hour");
      const days = daysBetween(at, now);
      return days < 30 ? words().format(-days, "day") : shortDay(at, now);
    },
    duration: (milliseconds) => {
      const seconds = Math.max(0, Math.floor(milliseconds / 1000));
      const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
      const shown = parts[0] === 0 ? parts.slice(1) : parts;
      return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
    },
  };
}

/** The formatters for the language and time format of now. */
export function useTimes(): Times {
  const language = useLanguage();
  const timeFormat = usePreferences((preferences) => preferences.timeFormat);
  return timesFor(localeTag(language), timeFormat);
}
