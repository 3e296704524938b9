/** What is printed: a line of JSON for each figure, with what each repeat gave, and what goes on. */

export interface Figure {
  name: string;
  values: number[];
  unit: string;
  /** What `others` were measured of, in the same run. */
  reference?: string;
  others?: number[];
}

export function report(figure: Figure): void {
  process.stdout.write(`${JSON.stringify(figure)}\n`);
}

export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const ascending = [...values].sort((a, b) => a - b);
  return ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))] ?? 0;
}

export function largest(values: readonly number[]): number {
  return values.reduce((most, each) => Math.max(most, each), 0);
}
