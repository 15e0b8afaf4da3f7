/** Control characters would break the lines. */
const shown = (text: string): string =>
  text.replace(/[\x00-\x1f\x7f]/g, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** Columns as wide as their widest cell; those of `right` (indexes) are aligned to the right, the last is not padded. */
export function textTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string {
  const all = [heads, ...rows].map((row) => row.map(shown));
  const widths = heads.map((_, k) => all.reduce((widest, row) => Math.max(widest, row[k]?.length ?? 0), 0));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, k) =>
        right.includes(k) ? cell.padStart(widths[k]!) : k === heads.length - 1 ? cell : cell.padEnd(widths[k]!),
      )
      .join("  ")
      .trimEnd();
  return `${all.map(line).join("\n")}\n`;
}
