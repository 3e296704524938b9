import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Those that take longest: begun last, they would keep one core while the other has nothing to do any more. */
const FIRST = ["views.spec.ts", "conversation.spec.ts", "calls.spec.ts", "token.spec.ts"];

class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => [...FIRST, basename(moduleId)].indexOf(basename(moduleId));
    return Promise.resolve(files.toSorted((one, other) => place(one) - place(other)));
  }
}

/** The data layer in Node, and the built client in real browsers, against the real server (`npm run test:server`). */
export default defineConfig({
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  test: {
    environment: "node",
    maxWorkers: 2, // each file has its own server and browser
    sequence: { sequencer: LongestFirst },
    retry: process.env.CI === undefined ? 0 : 1,
    include: ["src/**/*.spec.ts"],
    setupFiles: ["fake-indexeddb/auto"],
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
