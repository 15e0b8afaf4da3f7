import { LevinError } from "../base/mod.ts";
import { type EvaluateVirtual, type MakeRowEncoder, RowError } from "../embed/mod.ts";
import { compileTable, compileVirtualColumns } from "../encoder/mod.ts";
import { PairList } from "./pair-list.ts";

function rowError(error: unknown): unknown {
  if (!(error instanceof LevinError)) return error;
  const { mysqlCode, column } = error.fields;
  const message = error.cause instanceof Error ? error.cause.message : error.message;
  if (error.facts.exit !== 4 && typeof mysqlCode !== "number") return error;
  return new RowError({
    errno: typeof mysqlCode === "number" ? mysqlCode : 0,
    message: error.cause === undefined ? plainMessage(error.message) : message,
    column: typeof column === "string" ? column : undefined,
  });
}

/** Without levin's own words around TiDB's. */
function plainMessage(message: string): string {
  return message
    .replace(/^Cannot store (value in column|row in table) "[^"]*": /, "")
    .replace(/ \(MySQL error \d+\)$/, "");
}

/** The front is a TiDB 8.5. */
const jsonDoubles = "go";

/** Rows that SQL statements of the sandbox write go through the importer's encoder: there is no second one. */
export const makeRowEncoder: MakeRowEncoder = (table, columns, session) => {
  const record = new PairList();
  const index = new PairList();
  const warnings: { errno: number; message: string; column: string }[] = [];
  const encoder = compileTable(table, {
    session: { ...session, jsonDoubles },
    record,
    index,
    onWarning: ({ mysqlCode, message, column }) => void warnings.push({ errno: mysqlCode, message, column }),
  });
  encoder.bindColumns(columns);
  return {
    encode(fields) {
      record.pairs = [];
      index.pairs = [];
      warnings.length = 0;
      try {
        encoder.encodeRow(fields, 1);
      } catch (error) {
        throw rowError(error);
      }
      return { record: record.pairs[0]!, index: index.pairs, warnings: [...warnings] };
    },
  };
};

/** Virtual generated columns as SELECT shows them. */
export const evaluateVirtual: EvaluateVirtual = (table, timeZone) =>
  compileVirtualColumns(table, {
    sqlMode: "",
    timeZone,
    newCollations: true,
    nowMs: 0,
    defaultWeekFormat: 0,
    jsonDoubles,
  });
