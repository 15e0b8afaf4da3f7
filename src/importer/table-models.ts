import { LevinError } from "../base/mod.ts";
import { parseJson } from "../cluster/mod.ts";
import type { TableInfo } from "../schema/mod.ts";

/** The list that TiDB's status port gives at `/schema/{db}`. */
export function parseTableInfoList(text: string): TableInfo[] {
  const parsed = parseJson(text) as unknown;
  if (parsed === null) return [];
  if (!Array.isArray(parsed) || parsed.some((one) => typeof one?.id !== "number" || !Array.isArray(one?.cols ?? []))) {
    throw new LevinError(
      "Levin:Schema:ErrSyntax",
      "Cannot read table models: TiDB's status port gave no list of tables",
    );
  }
  return parsed as TableInfo[];
}
