import { quoteName } from "./sql/expr-print.ts";

/** Text of a string between quotes as TiDB shows it (`format.OutputFormat`). */
export function showText(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "''")
    .replaceAll("\0", "\\0")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
}

/** PLACEMENT POLICY of a table or partition. */
export function showPolicy(policy: unknown): string {
  const name = (policy as { name?: { O?: string } } | null | undefined)?.name?.O;
  return name ? ` /*T![placement] PLACEMENT POLICY=${quoteName(name)} */` : "";
}
