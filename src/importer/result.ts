export interface ImportResult {
  tables: number;
  rows: number;
  sourceBytes: number;
}
