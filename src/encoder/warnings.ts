import type { EncodeWarning } from "./options.ts";

/** Warnings of one kind in one column. */
export interface WarningCount {
  readonly column: string;
  readonly mysqlCode: number;
  /** Rows that gave it. */
  count: number;
  /** The first one. */
  readonly example: EncodeWarning;
}

/** Counts warnings by column and number and keeps the first of each; bounded by columns times numbers. */
export class WarningSummary {
  private readonly counts = new Map<string, WarningCount>();

  readonly add = (warning: EncodeWarning): void => {
    const key = `${warning.mysqlCode} ${warning.column}`;
    const known = this.counts.get(key);
    if (known !== undefined) known.count++;
    else {
      const { column, mysqlCode } = warning;
      this.counts.set(key, { column, mysqlCode, count: 1, example: warning });
    }
  };

  list(): WarningCount[] {
    return [...this.counts.values()];
  }
}
