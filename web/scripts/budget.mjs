// Fails when the first JavaScript outgrows its budget.
import { firstJavaScript } from "./first-javascript.mjs";

const BUDGET_KB = 180;

const { kilobytes, files } = await firstJavaScript();
process.stdout.write(`first JavaScript: ${kilobytes.toFixed(1)} KB gzip in ${files} files, budget ${BUDGET_KB} KB\n`);
if (kilobytes > BUDGET_KB) process.exit(1);
