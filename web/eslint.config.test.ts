import { ESLint } from "eslint";
import { expect, it, vi } from "vitest";

vi.setConfig({ testTimeout: 60_000 }); // the first one reads every type there is

/** Whether a file of this content, in the place of one that exists, breaks a rule. The others, which take a minute, do not run. */
async function breaks(filePath: string, text: string, rule: string): Promise<boolean> {
  const eslint = new ESLint({ ruleFilter: ({ ruleId }) => ruleId === rule });
  const [result] = await eslint.lintText(text, { filePath });
  return result?.messages.some(({ ruleId }) => ruleId === rule) ?? false;
}

const PATHS = "import-x/no-restricted-paths";

/** Every check has its negative: each line is refused where it stands. */
it.each([
  ["a feature that imports another", "src/features/auth/index.ts", 'export * from "@/features/rooms";', PATHS],
  ["the same by a relative path", "src/features/auth/index.ts", 'export * from "../rooms";', PATHS],
  ["a feature that imports the app", "src/features/auth/index.ts", 'export * from "@/app/router";', PATHS],
  ["a component that imports a feature", "src/components/page.tsx", 'export * from "@/features/auth";', PATHS],
  ["the data layer that imports a feature", "src/realtime/hooks.ts", 'export * from "@/features/auth";', PATHS],
  ["lib that imports components", "src/lib/cn.ts", 'export * from "@/components/page";', PATHS],
  ["the inside of the data layer", "src/features/auth/index.ts", 'export * from "@/realtime/outbox";', PATHS],
  ["any", "src/lib/cn.ts", "export const x: any = 1;", "@typescript-eslint/no-explicit-any"],
  ["a promise that nobody waits for", "src/lib/cn.ts", "Promise.resolve();", "@typescript-eslint/no-floating-promises"],
  ["the console", "src/lib/cn.ts", "console.log(1);", "no-console"],
  [
    "an image without a text",
    "src/components/page.tsx",
    "export const A = () => <img src='' />;",
    "jsx-a11y-x/alt-text",
  ],
  [
    "a hook in a condition",
    "src/components/page.tsx",
    'import { useId } from "react";\nexport function A({ on }: { on: boolean }) {\n  return on ? useId() : "";\n}',
    "react-hooks/rules-of-hooks",
  ],
])("refuses %s", async (_, path, text, rule) => {
  expect(await breaks(path, `${text}\n`, rule)).toBe(true);
});

it("takes a feature that uses what is shared", async () => {
  expect(await breaks("src/features/auth/index.ts", 'export { useSession } from "@/realtime";\n', PATHS)).toBe(false);
});
