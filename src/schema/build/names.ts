import type { Constraint } from "../ddl/ast.ts";
import { ddlError } from "../sql/sql-error.ts";

/**
 * Checks the names of constraints for duplicates and gives names to those without (`checkConstraintNames`): an index is named
 * after its first column, `_2` and so on behind where taken. Changes the constraints.
 */
export function nameConstraints(tableLower: string, constraints: Constraint[]): void {
  const taken = new Set<string>();
  const foreign = new Set<string>();
  for (const { kind, name } of constraints) {
    if (name === undefined || kind === "primary") continue;
    const names = kind === "foreign" ? foreign : taken;
    const lower = name.toLowerCase();
    if (lower === "primary" && kind !== "foreign" && kind !== "check")
      throw ddlError(1280, `Incorrect index name '${name}'`);
    if (names.has(lower)) {
      if (kind === "foreign") throw ddlError(1826, `Duplicate foreign key constraint name '${name}'`);
      if (kind === "check") throw ddlError(3822, `Duplicate check constraint name '${name}'.`);
      throw ddlError(1061, `Duplicate key name '${name}'`);
    }
    names.add(lower);
  }
  for (const constraint of constraints) {
    if (constraint.kind === "primary" || constraint.kind === "foreign" || constraint.kind === "check") continue;
    if (constraint.name === undefined) constraint.name = freeName(constraint.parts, taken);
  }
  let count = 1;
  for (const constraint of constraints) {
    if (constraint.kind !== "check" || constraint.name !== undefined) continue;
    while (taken.has(`${tableLower}_chk_${count}`)) count++;
    constraint.name = `${tableLower}_chk_${count}`;
    taken.add(constraint.name);
  }
}

/** Name for an index over these parts that is not taken; adds it to the names. */
export function freeName(parts: readonly { column?: string; expr?: unknown }[], taken: Set<string>): string {
  const base = parts.some(({ expr }) => expr !== undefined) ? "expression_index" : parts[0]!.column!;
  let name = base;
  let count = 2;
  if (base.toLowerCase() === "primary") name = `${base}_${count++}`;
  while (taken.has(name.toLowerCase())) name = `${base}_${count++}`;
  taken.add(name.toLowerCase());
  return name;
}
