import { ciStr } from "../build/column.ts";
import { exactNumber } from "../build/options.ts";
import { emptyTable } from "../build/table.ts";
import type { Statement } from "../ddl/ast.ts";
import { ddlError } from "../sql/sql-error.ts";
import type { TableInfo } from "../table-info.ts";

const ALGORITHMS = { UNDEFINED: 0, MERGE: 1, TEMPTABLE: 2 } as const;

/**
 * TableInfo of a view. The SELECT is kept as written (TiDB writes it anew), and its columns are unknown unless the statement
 * names them: levin imports no views, it only has to create and drop them.
 */
export function buildView(statement: Statement & { kind: "create view" }, charset: string, collate: string): TableInfo {
  const table = emptyTable(statement.view.name, charset, collate);
  const user = statement.definer?.user ?? "root";
  const host = statement.definer?.host ?? "%";
  table.view = {
    view_algorithm: ALGORITHMS[statement.algorithm],
    view_definer: { Username: user, Hostname: host, CurrentUser: false, AuthUsername: user, AuthHostname: host },
    view_security: statement.security === "DEFINER" ? 0 : 1,
    view_select: statement.select,
    view_checkoption: statement.checkOption === "LOCAL" ? 0 : 1,
    view_cols: statement.columns?.map(ciStr) ?? null,
  };
  return table;
}

const MAX = (1n << 63n) - 2n;
const MIN = -(1n << 63n) + 1n;

/** TableInfo of a sequence with TiDB's defaults (`pkg/ddl/sequence.go`); throws 4136 for values that contradict each other. */
export function buildSequence(statement: Statement & { kind: "create sequence" }): TableInfo {
  const { options, sequence } = statement;
  const increment = options.increment ?? 1n;
  const up = increment >= 0n;
  const given = (value: bigint | "none" | undefined) => (typeof value === "bigint" ? value : undefined);
  const minValue = given(options.minValue) ?? (up ? 1n : MIN);
  const maxValue = given(options.maxValue) ?? (up ? MAX : -1n);
  const start = options.start ?? (up ? minValue : maxValue);
  const cached = options.cache !== "none";
  const cacheValue = cached ? (given(options.cache) ?? 1000n) : 0n;
  const valid = increment !== 0n && minValue < maxValue && start >= minValue && start <= maxValue;
  if (!valid || (cached && cacheValue <= 0n)) {
    throw ddlError(4136, `Sequence '${sequence.schema ?? ""}.${sequence.name}' values are conflicting`);
  }
  const table = emptyTable(sequence.name, "", "");
  table.comment = options.comment ?? "";
  table.sequence = {
    sequence_start: exactNumber(start),
    sequence_cache: cached,
    sequence_cycle: options.cycle ?? false,
    sequence_min_value: exactNumber(minValue),
    sequence_max_value: exactNumber(maxValue),
    sequence_increment: exactNumber(increment),
    sequence_cache_value: exactNumber(cacheValue),
    sequence_comment: options.comment ?? "",
  };
  return table;
}
