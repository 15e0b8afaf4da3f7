import { conflictWords, mergeConflicts } from "./conflict/conflict-report.ts";
import { writeTaskInfo } from "./conflict/task-info.ts";
import type { RunContext } from "./context.ts";
import type { WarningCountMessage } from "./encode/messages.ts";
import { mergeRejected, sumCounts } from "./reports.ts";

/** What the end of a run tells beside rows: values that the SQL mode changed, rows left out or filled up, and what of `--compat` mattered. */
export async function sayEnd(context: RunContext, warnings: readonly WarningCountMessage[]): Promise<void> {
  const { env } = context;
  const say = (message: string, fields: Record<string, unknown>): void =>
    env.emit({ kind: "log", level: "warn", message, fields });
  const changed = mergeWarnings(warnings);
  for (const { table, column, count, example, mysqlCode } of changed) {
    say(`${count} values of ${table}.${column} were changed by the SQL mode, the first: ${example} (${mysqlCode})`, {
      table,
      column,
      count,
      mysqlCode,
    });
  }
  const report = await mergeRejected(context);
  if (report !== undefined)
    say(`${report.rows} rows were left out because a value cannot be cast; they are in ${report.path}`, report);
  const conflicts = await mergeConflicts(context);
  if (conflicts !== undefined) say(conflictWords(conflicts, context.options), conflicts);
  await writeTaskInfo(context, { conflicts: conflicts?.path, rejected: report?.path });
  saySourceCounts(context);
}

/** What was not taken as it stands in the source, by kind; with `--compat lightning` also whether that mattered. */
export function saySourceCounts({
  options,
  env,
  plan,
  job,
}: Pick<RunContext, "options" | "env" | "plan" | "job">): void {
  const say = (message: string, fields: Record<string, unknown>): void =>
    env.emit({ kind: "log", level: "warn", message, fields });
  const sums = sumCounts(job.state);
  const { shortRows, quotedNulls, replacedCharacters, lightningLiterals, changedValues } = sums;
  const unmatched = plan.source.files.filter((file) => file.verdict === "unknown").length;
  const lightning = options.compatLightning;
  const told: [count: number, what: string][] = [
    [shortRows, "rows had too few fields and were filled up with defaults (mydumper.allow-short-rows)"],
    [
      quotedNulls,
      `quoted fields look like NULL and were read as ${options.csv.quotedNullIsText ? "text" : "NULL"} (mydumper.csv.quoted-null-is-text)`,
    ],
    [
      lightningLiterals,
      "SQL literals were read in Lightning's way (words and \\N as text, \\% and \\_ without backslash)",
    ],
    [plan.source.misnamedFiles, "files name another table in their statements than in their names, which counted"],
    [replacedCharacters, "invalid characters were replaced (mydumper.data-invalid-char-replace)"],
    [unmatched, "files fit no rule and were left out (ignore-unmatched)"],
  ];
  for (const [count, what] of told) if (count > 0) say(`${count} ${what}`, { count });
  if (!lightning) return;
  const mattered = [[changedValues, "values were changed by the SQL mode (tidb.sql-mode)"] as const, ...told].filter(
    ([count]) => count > 0,
  );
  say(
    mattered.length === 0
      ? "--compat lightning: levin's own defaults would have given the same"
      : `--compat lightning mattered: ${mattered.map(([count, what]) => `${count} ${what}`).join("; ")}`,
    { ...sums, unmatchedFiles: unmatched },
  );
}

/** One a table, column and number, in the order of their first appearance. */
function mergeWarnings(warnings: readonly WarningCountMessage[]): WarningCountMessage[] {
  const merged = new Map<string, WarningCountMessage>();
  for (const warning of warnings) {
    const key = `${warning.table}\n${warning.column}\n${warning.mysqlCode}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { ...warning });
    else known.count += warning.count;
  }
  return [...merged.values()];
}
