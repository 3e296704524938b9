import type * as Lowlight from "lowlight";
import { expect, test, vi } from "vitest";
import { highlight } from "./highlight";

const broken = vi.hoisted(() => vi.fn(() => undefined));

/** As the real one, with a language whose grammar fails. */
vi.mock("lowlight", async (original) => {
  const lowlight = await original<typeof Lowlight>();
  return {
    ...lowlight,
    createLowlight: (grammars: typeof lowlight.common) => {
      const made = lowlight.createLowlight({ ...grammars, broken: () => ({ contains: [] }) });
      return {
        ...made,
        highlight: (name: string, code: string) => {
          if (name !== "broken") return made.highlight(name, code);
          broken();
          throw new Error("the grammar fails");
        },
      };
    },
  };
});

test("code is coloured by its language, where that is known", () => {
  expect(highlight("const a = 1;", "JavaScript")?.some((node) => node.type === "element")).toBe(true);
  expect(highlight("const a = 1;", "nonsense")).toBeUndefined();
});

test("code that a grammar fails at has no colours, and is not tried again", () => {
  expect(highlight("x", "broken")).toBeUndefined();
  expect(highlight("x", "broken")).toBeUndefined();
  expect(broken).toHaveBeenCalledTimes(1);
});
