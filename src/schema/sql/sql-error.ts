import { LevinError } from "../../base/mod.ts";

/** Line and column (both from 1, column in characters) of a string offset. */
export function placeOf(sql: string, at: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let i = sql.indexOf("\n"); i >= 0 && i < at; i = sql.indexOf("\n", i + 1)) {
    line++;
    start = i + 1;
  }
  return { line, column: at - start + 1 };
}

/** Up to 40 characters of the text at an offset, on one line. */
export function near(sql: string, at: number): string {
  const text = sql.slice(at, at + 40);
  return text.replaceAll(/\s+/g, " ").trim();
}

/**
 * A statement that is not SQL as TiDB knows it. `fields`: `errno` 1064 and `sqlState`, `sqlMessage` in the words of TiDB
 * (for the SQL front; TiDB's column is where the token ends), `offset`, `line`, `column` of the place.
 */
export function syntaxError(sql: string, at: number, detail: string, end = at): LevinError {
  const { line, column } = placeOf(sql, at);
  const rest = sql.slice(at, at + 2048);
  const found = rest.trim() === "" ? "at its end" : `near "${near(sql, at)}"`;
  return new LevinError(
    "Levin:Schema:ErrSyntax",
    `Cannot parse statement ${found}: ${detail} (line ${line}, column ${column})`,
    {
      fields: {
        errno: 1064,
        sqlState: "42000",
        sqlMessage: `You have an error in your SQL syntax; check the manual that corresponds to your TiDB version for the right syntax to use line ${line} column ${column - 1 + Math.max(0, end - at)} near "${rest}" `,
        offset: at,
        line,
        column,
      },
    },
  );
}

/** Valid SQL that levin does not support; same fields as `syntaxError`, errno 8108 (TiDB's "unsupported type"). */
export function unsupportedError(sql: string, at: number, what: string): LevinError {
  const { line, column } = placeOf(sql, at);
  return new LevinError(
    "Levin:Schema:ErrUnsupported",
    `Cannot use statement near "${near(sql, at)}": ${what} is not supported (line ${line}, column ${column})`,
    { fields: { errno: 8108, sqlState: "HY000", sqlMessage: `Unsupported: ${what}`, offset: at, line, column } },
  );
}

/** A statement that TiDB refuses: `errno`, `sqlState` and `sqlMessage` as TiDB's. */
export function ddlError(
  errno: number,
  sqlMessage: string,
  options: { sqlState?: string; at?: number } = {},
): LevinError {
  const fields: Record<string, string | number> = {
    errno,
    sqlState: options.sqlState ?? SQL_STATES[errno] ?? "HY000",
    sqlMessage,
  };
  if (options.at !== undefined) fields["offset"] = options.at;
  return new LevinError("Levin:Schema:ErrRefused", `Cannot execute statement: ${sqlMessage} (error ${errno})`, {
    fields,
  });
}

/** SQLSTATE of the error numbers used here (`pkg/parser/mysql/state.go`). */
const SQL_STATES: Record<number, string> = {
  1007: "HY000",
  1008: "HY000",
  1044: "42000",
  1046: "3D000",
  1048: "23000",
  1049: "42000",
  1050: "42S01",
  1051: "42S02",
  1054: "42S22",
  1059: "42000",
  1060: "42S21",
  1061: "42000",
  1063: "42000",
  1064: "42000",
  1065: "42000",
  1067: "42000",
  1068: "42000",
  1069: "42000",
  1070: "42000",
  1071: "42000",
  1072: "42000",
  1073: "42000",
  1074: "42000",
  1075: "42000",
  1089: "HY000",
  1090: "42000",
  1091: "42000",
  1101: "42000",
  1102: "42000",
  1103: "42000",
  1113: "42000",
  1115: "42000",
  1117: "HY000",
  1146: "42S02",
  1166: "42000",
  1170: "42000",
  1171: "42000",
  1176: "42000",
  1253: "42000",
  1273: "HY000",
  1280: "42000",
  1291: "HY000",
  1294: "HY000",
  1296: "HY000",
  1305: "42000",
  1347: "HY000",
  1391: "HY000",
  1427: "42000",
  1439: "42000",
  1441: "22003",
  1463: "42000",
};
