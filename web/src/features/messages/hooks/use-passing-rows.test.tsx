import { act, fireEvent, render, screen } from "@testing-library/react";
import { useRef } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { usePassingRows } from "./use-passing-rows";

function Scroller() {
  const scroller = useRef<HTMLDivElement>(null);
  usePassingRows(scroller);
  return <div ref={scroller} role="log" />;
}

const wheeling = () => screen.getByRole("log").hasAttribute("data-wheeling");
const turn = (change: WheelEventInit) => fireEvent.wheel(screen.getByRole("log"), change);

beforeEach(() => {
  vi.useFakeTimers();
  render(<Scroller />);
});
afterEach(() => vi.useRealTimers());

it("tells that the wheel turns, until it rests", () => {
  turn({ deltaY: 120 });
  act(() => void vi.advanceTimersByTime(100));
  turn({ deltaY: 120 });
  act(() => void vi.advanceTimersByTime(100));
  expect(wheeling()).toBe(true);
  act(() => void vi.advanceTimersByTime(50));
  expect(wheeling()).toBe(false);
});

it("leaves a line of code that is scrolled sideways to the pointer", () => {
  turn({ deltaX: 40, deltaY: 3 });
  expect(wheeling()).toBe(false);
});
