// Fails when the first JavaScript, or what the service worker fetches on every device, outgrows its budget.
import { firstJavaScript, installed } from "./sizes.mjs";

const BUDGETS_KB = { "first JavaScript": 180, installed: 700 };

const sizes = { "first JavaScript": await firstJavaScript(), installed: await installed() };
for (const [what, { kilobytes, files }] of Object.entries(sizes)) {
  const budget = BUDGETS_KB[what];
  process.stdout.write(`${what}: ${kilobytes.toFixed(1)} KB gzip in ${files} files, budget ${budget} KB\n`);
  if (kilobytes > budget || files === 0) process.exitCode = 1;
}
