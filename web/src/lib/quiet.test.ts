import { describe, expect, it } from "vitest";
import { alertsAt, inSchedule, isQuiet, tomorrow } from "./quiet";

const at = (hours: number, minutes = 0) => new Date(2026, 2, 10, hours, minutes);

describe("quiet hours", () => {
  const night = { on: true, from: "22:00", to: "07:30" };

  it("pass midnight", () => {
    expect([at(21, 59), at(22), at(0), at(7, 29), at(7, 30)].map((time) => inSchedule(night, time))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it("may lie within a day", () => {
    const lunch = { on: true, from: "12:00", to: "13:00" };
    expect([at(11, 59), at(12), at(13)].map((time) => inSchedule(lunch, time))).toEqual([false, true, false]);
  });

  it("are none when off or without a length", () => {
    expect(inSchedule({ ...night, on: false }, at(23))).toBe(false);
    expect(inSchedule({ on: true, from: "08:00", to: "08:00" }, at(8))).toBe(false);
  });
});

const preferences = {
  enabled: true,
  sound: true,
  preview: true,
  declined: false,
  quietUntil: 1000,
  schedule: { on: false, from: "22:00", to: "07:00" },
};

it("is quiet until the time that was chosen", () => {
  expect(isQuiet(preferences, 999)).toBe(true);
  expect(isQuiet(preferences, 1000)).toBe(false);
});

it("alerts by what is on, and by nothing while it is quiet", () => {
  expect(alertsAt(preferences, 999)).toEqual({ sound: false, notification: false });
  expect(alertsAt(preferences, 1000)).toEqual({ sound: true, notification: true });
  expect(alertsAt({ ...preferences, sound: false }, 1000)).toEqual({ sound: false, notification: true });
  expect(alertsAt({ ...preferences, enabled: false }, 1000)).toEqual({ sound: true, notification: false });
});

it("knows tomorrow morning, over the end of a month too", () => {
  expect(new Date(tomorrow(new Date(2026, 2, 31, 23).getTime()))).toEqual(new Date(2026, 3, 1, 8));
});
