import type { Locator } from "playwright-core";

/** What is written in a field. */
export const valueOf = (field: Locator) => field.evaluate((each) => (each as HTMLTextAreaElement).value);
