import { type ColumnInfo, Flag, SchemaState, Tp, typeText } from "../schema/mod.ts";
import type { Check, CheckedTable, Finding } from "./check.ts";

const CHECK = "table-definition";

/**
 * Tables that were there already have the columns that the dump's schema files define. A difference may be meant, and is a warning:
 * Lightning takes the target's columns without a word, by position where a file does not name its own.
 */
export const tableDefinition: Check = async ({ tables, touched, signal }) => {
  const findings: Finding[] = [];
  for (const table of tables) {
    signal.throwIfAborted();
    // An earlier run has said so.
    if (touched.has(table.name)) continue;
    const difference = differenceOf(table);
    if (difference === undefined) continue;
    const detail = `Table "${table.name}" of the target is not as "${table.defined!.file}" defines it: ${difference}`;
    findings.push({ check: CHECK, status: "warning", detail });
  }
  return findings;
};

interface Column {
  name: string;
  /** Undefined: not known. */
  type: string | undefined;
}

/** The first one, in words. */
function differenceOf(table: CheckedTable): string | undefined {
  const { defined, ignored, files } = table;
  const source = defined?.columns();
  const target = table.info === undefined ? table.columnNames?.map(nameAlone) : visibleColumns(table.info.cols);
  if (source === undefined || target === undefined) return undefined;
  const made = new Set(files.flatMap((file) => file.extraColumns.map(({ name }) => name.toLowerCase())));
  const inFile = visibleColumns(source).filter(({ name }) => !ignored.has(name.toLowerCase()));
  const inTarget = target.filter(({ name }) => !ignored.has(name.toLowerCase()) && !made.has(name.toLowerCase()));
  const numbers =
    inFile.length === inTarget.length ? "" : `${inTarget.length} columns in the target, ${inFile.length} in the file; `;
  for (let i = 0; i < Math.max(inFile.length, inTarget.length); i++) {
    const [there, here] = [inTarget[i], inFile[i]];
    if (here === undefined) return `${numbers}"${there!.name}" is only in the target`;
    if (there === undefined) return `${numbers}"${here.name}" is only in the file`;
    if (there.name.toLowerCase() !== here.name.toLowerCase())
      return `${numbers}column ${i + 1} is "${there.name}" in the target and "${here.name}" in the file`;
    if (there.type !== undefined && there.type !== here.type)
      return `${numbers}column "${here.name}" is ${there.type} in the target and ${here.type} in the file`;
  }
  return undefined;
}

const nameAlone = (name: string): Column => ({ name, type: undefined });

function visibleColumns(columns: readonly ColumnInfo[]): Column[] {
  return columns
    .filter(({ hidden, state }) => !hidden && state === SchemaState.public)
    .map(({ name, type }) => ({ name: name.O, type: typeWords(type) }));
}

/** How integers are shown decides nothing about their values. */
function typeWords(type: ColumnInfo["type"]): string {
  if (type.Tp === Tp.year) return "year";
  const { Tp: tp, Flag: flag } = type;
  return typeText({ ...type, Flen: tp === Tp.tiny ? -1 : type.Flen, Flag: flag & ~Flag.zerofill }, false);
}
