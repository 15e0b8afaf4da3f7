export interface ImportResult {
  tables: number;
  rows: number;
  sourceBytes: number;
  /** Values that did not fit and were changed, as the SQL mode lets it. */
  changedValues: number;
  /** Physical: rows that lost against others with the same key, where they were looked for. */
  conflicts?: number;
  /** Physical: what was sent, by quoted name of the table; whole numbers as decimal text. */
  sums?: Record<string, { kvs: string; bytes: string; crc: string }>;
}
