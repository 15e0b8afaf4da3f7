import { Flag, type TableInfo } from "../schema/mod.ts";
import { type ColumnCoding, type CsvDialect, charsetOfColumn, type SourceTable } from "../source/mod.ts";

/** What decides how a table's columns are coded in the source. */
export interface SourceForm {
  readonly columnText: SourceTable["columnText"];
  readonly binaryFormat: CsvDialect["binaryFormat"];
}

export function sourceForm({ columnText, files }: Pick<SourceTable, "columnText" | "files">): SourceForm {
  return { columnText, binaryFormat: files[0]?.dialect?.binaryFormat ?? "raw" };
}

/** How columns of a table are coded in the source, by lower-case name. */
export function columnCodings({ columnText, binaryFormat }: SourceForm, info: TableInfo): Map<string, ColumnCoding> {
  const out = new Map<string, ColumnCoding>();
  for (const column of info.cols) {
    const { Tp, Charset, Flag: flags } = column.type;
    const string = /^(15|249|250|251|252|253|254)$/.test(String(Tp)) && (flags & Flag.binary) !== 0;
    const binary = (string && Charset === "binary") || String(Tp) === "16";
    const coding = binary && binaryFormat !== "raw" ? binaryFormat : charsetOfColumn(columnText, column.type.Charset);
    if (coding !== undefined) out.set(column.name.L, coding);
  }
  return out;
}
