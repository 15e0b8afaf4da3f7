/** Code of a bulk kernel for the row that stands in an index entry's value: what keys cannot be turned back into. */
import type { RestoredCell } from "./index-plan.ts";
import type { BulkColumn, BulkPlan } from "./plan.ts";

/** Code that stores constant bytes at `address`, as few stores as may be. */
export function storeBytes(bytes: Uint8Array, address: string, offset = 0): string {
  const parts: string[] = [];
  let at = 0;
  for (const size of [8, 4, 2, 1]) {
    while (bytes.length - at >= size) {
      let value = 0n;
      for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!);
      parts.push(`store${8 * size}(${address}, 0x${value.toString(16)}${size === 8 ? "L" : ""}, ${offset + at});`);
      at += size;
    }
  }
  return parts.join(" ");
}

export function isNullAt(column: number): string {
  return `((nulls >>> ${column}L) & 1L) != 0`;
}

/** Where a value begins. */
export function place(position: number, { stored }: BulkColumn): string {
  return stored ? `data + b${position}` : `b${position}`;
}

/** Cuts the size of the text at `text` to a prefix. */
export function cutCode(
  { column: i, length, runes }: { column: number; length: number; runes: boolean },
  { form }: BulkColumn,
  size: string,
): string {
  if (length < 0) return "";
  const ascii = `${size} = ${length};`;
  const counted = runes && form.kind === "text" && form.characterBytes > 1;
  const cut = counted ? `if (x${i}) { ${size} = prefix(text, ${size}, ${length}); } else { ${ascii} }` : ascii;
  return `if (${size} > ${length}) { ${cut} }`;
}

/** NULL is listed; numbers of blanks are 0 instead. */
function mayBeNull({ column, form }: RestoredCell, { columns }: BulkPlan): boolean {
  return form === "value" && !columns[column]!.notNull;
}

/** Leaves the size of the row in `rowSize`, of its values in `s…` and the number of its NULLs in `absent`. */
export function restoredSizes(cells: readonly RestoredCell[], plan: BulkPlan): string {
  const mask = cells
    .filter((cell) => mayBeNull(cell, plan))
    .reduce((all, { column }) => all | (1n << BigInt(column)), 0n);
  const sizes = cells.map((cell) => sizeCode(cell, plan.columns[cell.column]!));
  return `${sizes.join("\n    ")}
    let absent = ${mask === 0n ? "0" : `i32(popcnt(nulls & ${mask}L))`};
    let rowSize = ${6 + 3 * cells.length} - 2 * absent${cells.map(({ column }) => ` + s${column}`).join("")};`;
}

/** A NULL has a size of 0. */
function sizeCode(cell: RestoredCell, column: BulkColumn): string {
  const { column: i, form } = cell;
  if (column.form.kind !== "text") return `let s${i} = n${i};`;
  const cut = `let s${i} = n${i}; { let text = ${place(i, column)}; ${cutCode(cell, column, `s${i}`)} }`;
  if (form === "value") return cut;
  const most = form === "signed blanks" ? 127 : 255;
  return `${cut}
    let blanks${i} = 0;
    { let text = ${place(i, column)}; blanks${i} = text + s${i} - trimmed(text, text + s${i}); }
    s${i} = 1 + (blanks${i} > ${most});`;
}

/** The row at `r`; `d` is behind it then. */
export function restoredRow(cells: readonly RestoredCell[], plan: BulkPlan): string {
  const nullable = cells.some((cell) => mayBeNull(cell, plan));
  return `
    let d = r + ${6 + 3 * cells.length} - 2 * absent;
    let last = 0;
    ${nullable ? headerWithNulls(cells, plan) : plainHeader(cells, plan)}
    ${cells.map((cell) => cellCode(cell, plan.columns[cell.column]!)).join("\n    ")}`;
}

function plainHeader(cells: readonly RestoredCell[], { columns }: BulkPlan): string {
  const ids = cells.map(({ column }) => columns[column]!.id);
  const ends = cells.map(({ column }, i) => `last += s${column}; store16(r, last, ${6 + cells.length + 2 * i});`);
  return `${storeBytes(Uint8Array.of(128, 0, cells.length, 0, 0, 0, ...ids), "r")} ${ends.join(" ")}`;
}

function headerWithNulls(cells: readonly RestoredCell[], plan: BulkPlan): string {
  const fields = cells.map((cell) => {
    const { id } = plan.columns[cell.column]!;
    const present = `store8(id, ${id}); id += 1; last += s${cell.column}; store16(to, last); to += 2;`;
    if (!mayBeNull(cell, plan)) return present;
    return `if (${isNullAt(cell.column)}) { store8(nullId, ${id}); nullId += 1; } else { ${present} }`;
  });
  return `
    store32(r, 128 | (${cells.length} - absent) << 16);
    store16(r, absent, 4);
    let id = r + 6;
    let nullId = id + ${cells.length} - absent;
    let to = nullId + absent;
    ${fields.join("\n    ")}`;
}

/** Copies a value to `d`; one that is NULL has no bytes. */
function cellCode({ column: i, form }: RestoredCell, column: BulkColumn): string {
  const next = `d += s${i};`;
  if (form !== "value") return `store16(d, blanks${i}); ${next}`;
  if (!column.stored) return `store64(d, k${i}); ${next}`;
  const { kind } = column.form;
  if (kind !== "text" && kind !== "decimal") return `store64(d, load64(data + b${i})); ${next}`;
  return `words(data + b${i}, d, s${i}); ${next}`;
}
