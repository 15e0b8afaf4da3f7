import { toHex } from "../../../base/mod.ts";
import { FieldKind } from "../../../codec/mod.ts";
import { type TableInfo, Tp, typeText } from "../../../schema/mod.ts";
import type { Warning } from "../session/front.ts";
import { textOfSqlBytes } from "../wire/mod.ts";
import type { RowFault } from "./encoder.ts";
import type { Cell } from "./fields.ts";

const TEMPORAL: ReadonlySet<number> = new Set([Tp.duration, Tp.datetime, Tp.date, Tp.timestamp]);

/** SQLSTATEs of the errors of values. */
const STATES: Record<number, string> = {
  1048: "23000",
  1054: "42S22",
  1062: "23000",
  1110: "42000",
  1136: "21S01",
  1264: "22003",
  1265: "01000",
  1292: "22007",
  1364: "HY000",
  1366: "HY000",
  1406: "22001",
  1452: "23000",
  1690: "22003",
  3140: "22032",
};

export const sqlStateOf = (errno: number): string => STATES[errno] ?? "HY000";

/** A value as messages quote it, at most 128 characters. */
function shown(cell: Cell | undefined): string {
  if (cell === undefined || cell.kind === FieldKind.null) return "<nil>";
  if (cell.kind === FieldKind.true) return "1";
  if (cell.kind === FieldKind.false) return "0";
  if (cell.kind === FieldKind.hex || cell.kind === FieldKind.bit) return `0x${toHex(cell.bytes)}`;
  return [...textOfSqlBytes(cell.bytes)].slice(0, 128).join("");
}

/**
 * What INSERT says of a failed conversion (`completeInsertErr` of `pkg/executor/insert_common.go`): Lightning's words with column and
 * row. `cell` is the source value, `row` counts from 1.
 */
export function insertFault(fault: RowFault, table: TableInfo, cell: Cell | undefined, row: number): Warning {
  const column = table.cols.find(({ name }) => name.L === fault.column?.toLowerCase());
  const place = `for column '${column?.name.O ?? fault.column ?? ""}' at row ${row}`;
  const level = "Warning";
  if (column === undefined) return { level, code: fault.errno === 0 ? 1105 : fault.errno, message: fault.message };
  const type = typeText(column.type, false).replace(/[ (].*$/, "");
  switch (fault.errno) {
    case 1406:
      return { level, code: 1406, message: `Data too long ${place}` };
    case 1690:
    case 1264:
      return { level, code: 1264, message: `Out of range value ${place}` };
    case 1265:
      return { level, code: 1265, message: `Data truncated ${place}` };
    case 1292:
      if (TEMPORAL.has(column.type.Tp))
        return { level, code: 1292, message: `Incorrect ${type} value: '${shown(cell)}' ${place}` };
      return { level, code: 1366, message: `Incorrect ${type} value: '${shown(cell)}' ${place}` };
    case 8029:
      return { level, code: 1366, message: `Incorrect ${type} value: '${shown(cell)}' ${place}` };
    case 0:
      return { level, code: 1105, message: fault.message };
    default:
      return { level, code: fault.errno, message: fault.message };
  }
}
