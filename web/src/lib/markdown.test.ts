import fc from "fast-check";
import type { Nodes } from "mdast";
import { describe, expect, it } from "vitest";
import { calm, MAX_DEPTH, parseMarkdown, plainText, safeHref } from "./markdown";

function nodes(text: string): Nodes[] {
  const found: Nodes[] = [];
  const walk = (node: Nodes): void => {
    found.push(node);
    if ("children" in node) node.children.forEach(walk);
  };
  walk(parseMarkdown(text));
  return found;
}

const types = (text: string) => nodes(text).map((node) => node.type);

describe("what a message may contain", () => {
  it.each([
    ["**a**", "strong"],
    ["_a_", "emphasis"],
    ["~~a~~", "delete"],
    ["`a`", "inlineCode"],
    ["```js\na\n```", "code"],
    ["> a", "blockquote"],
    ["- a\n- b", "list"],
    ["3. a", "list"],
    ["[a](https://example.org)", "link"],
    ["see https://example.org/a_b_c", "link"],
    ["write to ann@example.org", "link"],
  ])("reads %j", (text, type) => expect(types(text)).toContain(type));

  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<iframe src=//example.org></iframe>",
    "![a](https://example.org/a.png)",
    "![a][b]\n\n[b]: https://example.org/a.png",
    "# a",
    "a\n===",
    "---",
    "    indented",
    "&lt;b&gt;",
    "a  \n***\nb",
  ])("has no markup beyond that in %j", (text) => {
    const allowed = ["root", "paragraph", "text", "link", "strong", "emphasis", "list", "listItem", "break"];
    expect(types(text).filter((type) => !allowed.includes(type))).toEqual([]);
  });

  it("never makes HTML, images or references, whatever is typed", () => {
    const mark = fc.constantFrom(
      "<",
      ">",
      "!",
      "[",
      "]",
      "(",
      ")",
      "*",
      "_",
      "`",
      "~",
      "#",
      "&",
      "\n",
      "\\",
      ":",
      "/",
      "a",
      " ",
      "-",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "grapheme" }),
          fc.array(mark, { maxLength: 80 }).map((all) => all.join("")),
        ),
        (text) => {
          const forbidden = ["html", "image", "imageReference", "linkReference", "definition", "heading"];
          expect(types(text).some((type) => forbidden.includes(type))).toBe(false);
        },
      ),
    );
  });

  it("keeps its time and its stack with texts that are made to take them", () => {
    const hostile = ["*", "_", "> ", "[", "`", "~~", "*a**b", "<", "- ", "![", "[a](", "`a``b", "1. ", "\\*"].map(
      (part) => part.repeat(Math.floor(8_000 / part.length)),
    );
    for (const text of hostile) {
      const from = performance.now();
      expect(depth(parseMarkdown(text))).toBeLessThanOrEqual(MAX_DEPTH);
      expect(performance.now() - from, text.slice(0, 12)).toBeLessThan(1_000);
    }
  });
});

function depth(node: Nodes): number {
  return 1 + ("children" in node ? Math.max(0, ...node.children.map(depth)) : 0);
}

describe("links", () => {
  it.each(["https://example.org/", "http://example.org/a?b#c", "mailto:ann@example.org"])("lead to %s", (url) =>
    expect(safeHref(url)).toBe(url),
  );
  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,a",
    "vbscript:a",
    "file:///etc",
    "//example.org",
    "/r/1",
    "blob:a",
    "",
  ])("do not lead to %j", (url) => expect(safeHref(url)).toBeUndefined());
});

it.each(["one\ntwo\n\nthree", "*one*\ntwo\n\nthree", "\none\ntwo\n \n\n\nthree\n"])(
  "begins a paragraph after blank lines, with marks and without: %j",
  (text) => expect(types(text).filter((type) => type === "paragraph")).toHaveLength(2),
);

it("tells a message in one line", () => {
  expect(plainText("**Hello**\nworld\n\n- `a`\n- b")).toBe("Hello world a b");
  expect(plainText("before\n```js\ncode\n```\nafter\\\na break")).toBe("before code after a break");
  expect(plainText("a".repeat(300))).toHaveLength(201);
  expect(plainText(`a${"\u0301".repeat(50)}b`)).toBe(`a${"\u0301".repeat(4)}b`);
});

it("stacks no more than four marks on a letter", () => {
  expect(calm(`a${"\u0301".repeat(50)}b`)).toBe(`a${"\u0301".repeat(4)}b`);
  expect(calm("é ấ")).toBe("é ấ");
});
