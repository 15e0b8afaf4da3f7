import { joinBytes, LevinError, toHex, utf8 } from "../base/mod.ts";
import { quoteName, type SqlLink } from "../tidb/mod.ts";
import type { Slot } from "./binding.ts";
import type { LogicalTable } from "./table.ts";

const QUOTE = 0x27;
const COMMA = 0x2c;
const DIGITS = /^-?\d+(\.\d+)?$/;

/**
 * Names the row of the target that keeps another one out by a unique index, as a WHERE clause: by its primary key, or where it has none by
 * that index. `rowText` is the refused row as `InsertBuilder` writes it. Undefined where the target does not show one such row: values that
 * it changes before it compares them, keys that are not whole columns.
 */
export async function rowInTheWay(
  link: SqlLink,
  { database, table, columns, uniqueKeys }: LogicalTable,
  index: string,
  slots: readonly Slot[],
  rowText: Uint8Array,
): Promise<string | undefined> {
  const key = uniqueKeys.find(({ name }) => name.toLowerCase() === index.toLowerCase());
  const primary = uniqueKeys.find(({ name }) => name.toUpperCase() === "PRIMARY") ?? key;
  if (key === undefined || primary === undefined) return undefined;
  const infoOf = (name: string | undefined) => columns.find((column) => column.name === name);
  const literals = literalsOf(rowText);
  const parts: Uint8Array[] = [];
  for (const name of key.columns) {
    const info = infoOf(name);
    const at = slots.findIndex((slot) => slot.name === name);
    const literal = literals[at];
    if (info === undefined || literal === undefined) return undefined;
    parts.push(utf8(`${parts.length === 0 ? "" : " AND "}${quoteName(info.name)} = `));
    // A number that is compared with a text would compare as a number.
    const plain = info.charset !== undefined && literal.every((byte) => byte !== QUOTE && byte < 0x40);
    parts.push(...(plain ? [Uint8Array.of(QUOTE), literal, Uint8Array.of(QUOTE)] : [literal]));
  }
  const identity = primary.columns.map(infoOf);
  if (identity.includes(undefined)) return undefined;
  const shown = identity.map((column) =>
    column!.binary ? `HEX(${quoteName(column!.name)})` : quoteName(column!.name),
  );
  const head = `SELECT ${shown.join(", ")} FROM ${quoteName(database)}.${quoteName(table)} WHERE `;
  try {
    const rows = await link.rows(joinBytes([utf8(head), ...parts, utf8(" LIMIT 2")]));
    if (rows.length !== 1) return undefined;
    return identity.map((column, i) => `${quoteName(column!.name)}=${literalOf(rows[0]![i]!, column!)}`).join(" AND ");
  } catch (thrown) {
    // It is a help, and what the server refused remains refused; a lost connection comes up again with the next statement.
    if (thrown instanceof LevinError) return undefined;
    throw thrown;
  }
}

function literalOf(value: string | null, { binary, charset }: LogicalTable["columns"][number]): string {
  if (value === null) return "NULL";
  if (binary) return value === "" ? "''" : `0x${value.toLowerCase()}`;
  if (charset === undefined && DIGITS.test(value)) return value;
  // What a backslash in quotes means is the session's SQL mode's.
  return value.includes("\\") ? `_utf8mb4 0x${toHex(utf8(value))}` : `'${value.replaceAll("'", "''")}'`;
}

/** The values of `(a,b,…)`: quotes inside quotes are doubled, so that each one opens or closes. */
function literalsOf(rowText: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  let from = 1;
  let quoted = false;
  for (let at = 1; at < rowText.length; at++) {
    if (rowText[at] === QUOTE) quoted = !quoted;
    if (quoted || (rowText[at] !== COMMA && at !== rowText.length - 1)) continue;
    out.push(rowText.subarray(from, at));
    from = at + 1;
  }
  return out;
}
