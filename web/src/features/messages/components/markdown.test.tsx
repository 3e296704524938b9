import { render, screen } from "@testing-library/react";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { startI18n } from "@/lib/i18n";
import { Markdown } from "./markdown";

vi.mock("@/realtime", () => import("../testing/realtime"));

beforeAll(startI18n);

function show(text: string, mentions?: readonly string[], everybody = false): HTMLElement {
  return render(<Markdown text={text} mentions={mentions} everybody={everybody} editedAt={undefined} />).container;
}

const ALLOWED = new Set([
  "P",
  "A",
  "STRONG",
  "EM",
  "DEL",
  "CODE",
  "PRE",
  "BLOCKQUOTE",
  "UL",
  "OL",
  "LI",
  "BR",
  "BDI",
  "SPAN",
  "DIV",
  "BUTTON",
  "svg",
  "path",
  "rect",
]);

/** Nothing but known elements, none of which loads anything, and no link but to pages and mail. */
function expectHarmless(container: HTMLElement): void {
  for (const element of container.querySelectorAll("*")) {
    expect(ALLOWED).toContain(element.tagName);
    for (const { name } of element.attributes) expect(name).not.toMatch(/^(on|src|srcset|style$|action|formaction)/);
    if (element instanceof HTMLAnchorElement) {
      expect(element.getAttribute("href")).toMatch(/^(https?:|mailto:)/);
      expect(element.rel).toBe("noopener noreferrer");
      expect(element.target).toBe("_blank");
    }
  }
}

describe("hostile texts", () => {
  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<a href='javascript:alert(1)'>a</a>",
    "[a](javascript:alert(1))",
    "[a](JAVASCRIPT:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "[a](vbscript:msgbox)",
    "<javascript:alert(1)>",
    "![a](https://example.org/tracker.png)",
    "[![a](https://example.org/a.png)](https://example.org)",
    "[a]: javascript:alert(1)\n\n[a]",
    "```js\n</code></pre><script>alert(1)</script>\n```",
    "`<img src=x onerror=alert(1)>`",
    '[a](https://example.org "onmouseover=alert(1)")',
    "[\u202Egpj.exe](https://example.org)",
    "https://example.org/<script>",
    "@<script>alert(1)</script>",
  ])("%j is harmless", (text) => expectHarmless(show(text)));

  it("are harmless whatever they are made of", () => {
    const part = fc.constantFrom(
      ..."<>![]()*_`~#&\\:/ \n\"'=-".split(""),
      ..."script,img,src,onerror,javascript:,data:,https://a.b,@ann,:tada:,a".split(","),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const { container, unmount } = render(
          <Markdown text={parts.join("")} mentions={[]} everybody={false} editedAt={undefined} />,
        );
        expectHarmless(container);
        unmount();
      }),
      { numRuns: 300 },
    );
  });
});

it("keeps a forbidden link's words", () => {
  expect(show("[click here](javascript:alert(1))").textContent).toBe("click here ");
});

it("shows members as mentions, and other names as they were written", () => {
  show("@ann, @zoe and @me", ["ann", "me"]);
  expect(screen.getByText("@ann").tagName).toBe("BDI");
  expect(screen.getByText("@me").tagName).toBe("BDI");
  expect(screen.queryByText("@zoe")).toBeNull();
});

it("takes @room for everybody only where the server did", () => {
  show("@room", [], true);
  expect(screen.getByText("@room").tagName).toBe("BDI");
});

it("mentions nobody in code", () => {
  show("`@ann`", ["ann"]);
  expect(screen.getByText("@ann").tagName).toBe("CODE");
});

it("gives each block the direction of its own text", () => {
  const blocks = show("مرحبا\n\n> Hello\n\n- שלום").querySelectorAll("p, blockquote, li");
  expect([...blocks].every((block) => block.getAttribute("dir") === "auto")).toBe(true);
});
