import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useEffect, useRef, useState } from "react";
import { BrowserRouter, Link } from "react-router";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import { followShortcuts, useShortcut } from "@/lib/shortcuts";
import { FOCUS_HOME } from "@/lib/focus";
import { Page } from "./page";

const screenSize = vi.hoisted(() => ({ wide: true }));
vi.mock("@/lib/media-query", () => ({ useWide: () => screenSize.wide }));

beforeAll(startI18n);
beforeEach(() => {
  window.history.replaceState(null, "", "/r/room");
  return followShortcuts();
});

const KEY = { group: "navigation", whileTyping: true } as const;

function Field() {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return <input ref={field} aria-label="field" />;
}

/** A page whose panel holds a field that takes the focus when it opens, as a search does. */
function Paged() {
  const [panel, setPanel] = useState<string>();
  const close = () => setPanel(undefined);
  const content = (
    <>
      <Field />
      <Link to="/r/room/m/message" onClick={close}>
        hit
      </Link>
    </>
  );
  useShortcut({ ...KEY, label: "search", keys: "F2" }, () =>
    setPanel((open) => (open === undefined ? "Search" : undefined)),
  );
  useShortcut({ ...KEY, label: "details", keys: "F4" }, () => setPanel("Details"));
  return (
    <Page
      header={null}
      panel={panel === undefined ? undefined : { title: panel, content: panel === "Search" && content, onClose: close }}
    >
      {panel !== "Details" && <button type="button">elsewhere</button>}
      <textarea {...FOCUS_HOME} aria-label="composer" />
    </Page>
  );
}

function show() {
  render(
    <BrowserRouter>
      <Paged />
    </BrowserRouter>,
  );
  const user = userEvent.setup();
  const focused = () => {
    const { activeElement } = document;
    return activeElement === document.body
      ? "nothing"
      : (activeElement?.getAttribute("aria-label") ?? activeElement?.textContent);
  };
  const settle = () => act(() => new Promise((resolve) => setTimeout(resolve)));
  const press = (keys: string) => user.keyboard(keys).then(settle);
  return { user, focused, press, settle };
}

describe.each([
  ["beside the page", true],
  ["over the page", false],
])("a panel %s", (_, wide) => {
  beforeEach(() => {
    screenSize.wide = wide;
  });

  it.each(["composer", "elsewhere"])("gives the focus back when it is closed by its key: %s", async (name) => {
    const { focused, press } = show();
    act(() => (name === "composer" ? screen.getByLabelText("composer") : screen.getByText("elsewhere")).focus());
    await press("{F2}");
    expect(focused()).toBe("field");
    await press("{F2}");
    expect(focused()).toBe(name);
  });

  it("leaves the focus to the place that one is led to", async () => {
    const { user, focused, press, settle } = show();
    act(() => screen.getByText("elsewhere").focus());
    await press("{F2}");
    await user.click(screen.getByText("hit"));
    await settle();
    expect(window.location.pathname).toBe("/r/room/m/message");
    expect(focused()).toBe("nothing");
  });
});

it("gives the focus to where one writes when what had it is gone, too", async () => {
  screenSize.wide = true;
  const { focused, press } = show();
  act(() => screen.getByText("elsewhere").focus());
  await press("{F2}{F4}");
  expect(screen.queryByText("elsewhere")).toBeNull();
  expect(focused()).toBe("composer");
});
