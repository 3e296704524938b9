export function firstJavaScript(): Promise<{ kilobytes: number; files: number }>;
