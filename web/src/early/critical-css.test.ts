import { describe, expect, test } from "vitest";
import { criticalCss } from "./critical-css";

const critical = (css: string, ...used: string[]) => criticalCss(css, new Set(used));

describe("of a style sheet", () => {
  test("rules stay in order where a selector has used classes only", () => {
    expect(critical(".a{x:1}.b{x:2}.a .b{x:3}.b,.a:hover{x:4}.c{x:5}", "a")).toBe(".a{x:1}.b,.a:hover{x:4}");
  });

  test("what names no class stays", () => {
    const css = "@layer theme,base;:root{--x:1}@font-face{src:url(/x.woff2)}@keyframes k{50%{opacity:.4}}*,:after{x:1}";
    expect(critical(css)).toBe(css);
  });

  test("groups stay around what is left in them, and go with the last of it; but layers keep their places", () => {
    expect(critical("@layer u{.b{x:1}}@layer v{@media (x){.a{x:1}.b{x:2}}@supports (y){.b{x:3}}}", "a")).toBe(
      "@layer u{}@layer v{@media (x){.a{x:1}}}",
    );
  });

  test("classes are known by their names, however they are written", () => {
    const css = String.raw`.md\:p-1\.5{x:1}.\32xl{x:2}.w-\[min\(1px\,2px\)\]{x:3}.min-w-0{x:.5}.\{{x:4}`;
    expect(critical(css, "md:p-1.5", "w-[min(1px,2px)]")).toBe(String.raw`.md\:p-1\.5{x:1}.w-\[min\(1px\,2px\)\]{x:3}`);
    expect(critical(String.raw`.\32 xl{x:2}`, "2xl")).toBe(String.raw`.\32 xl{x:2}`);
  });

  test("braces in strings and comments are none", () => {
    expect(critical(`/*! { */.a{content:"}";x:1}.b{content:'{\\''}.a{x:2}`, "a")).toBe(`.a{content:"}";x:1}.a{x:2}`);
  });

  test("rules within rules stay and go with them", () => {
    expect(critical(".a{&:hover{x:1}}.b{&:hover{x:1}}", "a")).toBe(".a{&:hover{x:1}}");
  });

  test.each(["@media (x){.a{x:1}", ".a{x:1", ".a{x:1}}"])("that is broken, %s, is not taken", (css) => {
    expect(() => critical(css, "a")).toThrow("style sheet");
  });
});
