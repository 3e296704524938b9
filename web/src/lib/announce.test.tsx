import { act, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { announce, announceOneOfMany, dropWaiting, useAnnouncement } from "./announce";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  act(() => void vi.runAllTimers());
  vi.useRealTimers();
});

/** What is said from now on. */
function listen(): string[] {
  const heard: string[] = [];
  function Listener() {
    heard.push(useAnnouncement().text);
    return null;
  }
  render(<Listener />);
  heard.length = 0;
  return heard;
}

const say = (...texts: string[]) => act(() => texts.forEach(announceOneOfMany));
const pass = (ms: number) => act(() => void vi.advanceTimersByTime(ms));

test("of many texts the first is said at once, and once a second the last few of the others together", () => {
  const heard = listen();
  say("one");
  expect(heard).toEqual(["one"]);
  say("two", "three");
  pass(999);
  expect(heard).toEqual(["one"]);
  pass(1);
  expect(heard).toEqual(["one", "two\nthree"]);
  say("four", "five", "six", "seven");
  pass(1_000);
  expect(heard.at(-1)).toBe("five\nsix\nseven");
  pass(5_000);
  say("eight");
  expect(heard.at(-1)).toBe("eight");
});

test("what waits and is dropped is not said", () => {
  const heard = listen();
  say("one", "two");
  dropWaiting();
  pass(5_000);
  say("three");
  expect(heard).toEqual(["one", "three"]);
});

test("what is no one of many is said at once", () => {
  const heard = listen();
  say("one");
  act(() => announce("deleted"));
  expect(heard).toEqual(["one", "deleted"]);
});
