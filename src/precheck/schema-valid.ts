import { LevinError } from "../base/mod.ts";
import type { PairSink } from "../codec/mod.ts";
import { compileTable, RowShape } from "../encoder/mod.ts";
import type { DataFile } from "../source/mod.ts";
import type { Check, CheckedTable, CheckInput, Finding } from "./check.ts";
import { firstRow } from "./first-rows.ts";

const CHECK = "schema-valid";

const nowhere: PairSink = { put: () => undefined };

/** Every table is known and can be encoded, and the first row of every file fits it. */
export const schemaValid: Check = async (input) => {
  const findings: Finding[] = [];
  for (const table of input.tables) {
    for (const file of table.files) {
      input.signal.throwIfAborted();
      const cause = await tryFirstRow(input, table, file);
      if (cause !== undefined) {
        const status = input.castErrorsAllowed && cause.code === "Levin:Encode:ErrValue" ? "warning" : "failed";
        findings.push({ check: CHECK, status, detail: cause.message, cause });
      }
      if (!table.isKnown) break;
    }
  }
  return findings;
};

async function tryFirstRow(input: CheckInput, table: CheckedTable, file: DataFile): Promise<LevinError | undefined> {
  const { info } = table;
  const path = file.file.path;
  if (info === undefined) {
    const detail = `Cannot import "${path}": neither target nor source has the table \`${table.database}\`.\`${table.table}\``;
    return new LevinError("Levin:Schema:ErrUnknownTable", detail, { fields: { file: path, table: table.name } });
  }
  let place: { row: number; byte: number } | undefined;
  try {
    await firstRow(input, table, file, (fields, columns, row, byte) => {
      place = { row, byte };
      const encoder = compileTable(info, { session: input.session, record: nowhere, index: nowhere });
      const shape = new RowShape(info, file.extraColumns, input.allowShortRows);
      shape.begin(columns, fields.count);
      encoder.bindColumns(shape.names, table.ignored);
      encoder.startChunk(0);
      encoder.encodeRow(shape.apply(fields), 1);
    });
    return undefined;
  } catch (thrown) {
    if (input.signal.aborted) throw thrown;
    const error = LevinError.from(thrown);
    if (error.fields["file"] !== undefined || place === undefined) return error;
    const { row, byte } = place;
    return new LevinError(error.code, `${error.message} (file "${path}", row ${row}, byte ${byte})`, {
      cause: error,
      fields: { ...error.fields, file: path, row, byte },
    });
  }
}
