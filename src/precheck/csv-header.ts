import { textOf } from "../base/mod.ts";
import { FieldKind } from "../codec/mod.ts";
import type { Check, Finding } from "./check.ts";
import { firstRow } from "./first-rows.ts";

/** A CSV file that is read without a header does not begin with the table's column names. */
export const csvHeader: Check = async (input) => {
  const findings: Finding[] = [];
  for (const table of input.tables) {
    const files = table.files.filter((file) => file.format === "csv" && file.dialect?.header === false);
    if (files.length === 0) continue;
    const names = new Set(table.columnNames ?? table.info?.cols.map((column) => column.name.L));
    for (const file of names.size === 0 ? [] : files) {
      input.signal.throwIfAborted();
      let isHeader = false;
      await firstRow(input, table, file, (fields) => {
        isHeader = fields.count > 0;
        for (let k = 0; k < fields.count; k++) {
          const text = textOf(fields.bytes.subarray(fields.start[k]!, fields.end[k]!)).trim().toLowerCase();
          if (fields.kind[k] !== FieldKind.string || !names.has(text)) isHeader = false;
        }
      }).catch(() => undefined);
      if (!isHeader) continue;
      const detail = `"${file.file.path}" is read without header, but its first row has the column names of ${table.name}; set mydumper.csv.header = true`;
      findings.push({ check: "csv-header", status: "failed", detail });
    }
  }
  return findings;
};
