import type { ExecuteResult, Statement } from "../../schema/mod.ts";
import type { Warning } from "./session/mod.ts";

const note = (code: number, message: string): Warning => ({ level: "Note", code, message });

/** What TiDB remarks about a DDL statement that it has carried out. */
export function ddlWarnings(statement: Statement, result: ExecuteResult, database: string): Warning[] {
  if (result.skipped) return skipped(statement, database);
  const out: Warning[] = [];
  for (const { before, after } of result.changes) {
    if (after === undefined || before !== undefined) continue;
    if (after.auto_random_bits > 0) {
      const range = after.auto_random_range_bits === 0 ? 64 : after.auto_random_range_bits;
      const unsigned = after.cols.some(({ type }) => (type.Flag & 2) !== 0 && (type.Flag & 32) !== 0);
      const times = (1n << BigInt(range - after.auto_random_bits - (unsigned ? 0 : 1))) - 1n;
      out.push(note(1105, `Available implicit allocation times: ${times}`));
    }
  }
  return out;
}

function skipped(statement: Statement, database: string): Warning[] {
  const full = (name: { schema?: string | undefined; name: string }) => `${name.schema ?? database}.${name.name}`;
  switch (statement.kind) {
    case "create database":
      return [note(1007, `Can't create database '${statement.name}'; database exists`)];
    case "create table":
      return [note(1050, `Table '${full(statement.table)}' already exists`)];
    case "create sequence":
      return [note(1050, `Table '${full(statement.sequence)}' already exists`)];
    case "drop table":
      return statement.tables.map((name) =>
        statement.what === "sequence"
          ? note(4139, `Unknown SEQUENCE: '${full(name)}'`)
          : note(1051, `Unknown table '${full(name)}'`),
      );
    default:
      return [];
  }
}
