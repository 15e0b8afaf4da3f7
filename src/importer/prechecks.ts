import { LevinError } from "../base/mod.ts";
import type { EncodeSession } from "../encoder/mod.ts";
import { type CheckedTable, type CheckInput, type Finding, runChecks } from "../precheck/mod.ts";
import type { ColumnInfo } from "../schema/mod.ts";
import { ignoredColumns, type PlainStreams } from "../source/mod.ts";
import { hasRows, isMissingTable, type Tidb } from "../tidb/mod.ts";
import type { RunContext } from "./context.ts";
import type { JobState } from "./job-state.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import type { TableNames } from "./restore-schema.ts";
import { columnCodings, sourceForm } from "./source-form.ts";
import { modelFromSource } from "./source-model.ts";
import type { SourcePlan, SourceTable } from "./source-plan.ts";
import type { TableModels } from "./table-models.ts";

export function checkInput(
  options: ImportOptions,
  env: ImportEnvironment,
  plan: SourcePlan,
  models: TableModels,
  session: EncodeSession,
  more: {
    tidb: Tidb | undefined;
    state: JobState | undefined;
    stateDifferences: readonly string[] | undefined;
    streams: PlainStreams;
    /** What the target had before this run made its tables; undefined: it made none. */
    before?: TableNames | undefined;
  },
): CheckInput {
  const { tidb, state, stateDifferences, streams, before } = more;
  const { connectionsMax } = options.tidb;
  const isNew = (database: string, table: string): boolean =>
    before?.get(database.toLowerCase())?.has(table.toLowerCase()) === false;
  // By the run that came to the first batch.
  const isCompared = before !== undefined && (state?.batches.length ?? 0) > 0;
  const isEmpty = async (database: string, table: string): Promise<boolean> => {
    // What this run has made is not asked for: a statement for each of ten thousand new tables is a good part of their cost.
    if (isNew(database, table)) return true;
    try {
      return !(await hasRows(tidb!, database, table));
    } catch (error) {
      // Not there yet; a schema file makes it.
      if (isMissingTable(error)) return true;
      throw error;
    }
  };
  return {
    storage: plan.storage,
    streams,
    source: plan.source,
    tables: plan.tables.map((table) => {
      const { name, database, files, sizeBytes } = table;
      const ignored = ignoredColumns(options.ignoreColumns, database, table.table, options.caseSensitive);
      return {
        name,
        database,
        table: table.table,
        files,
        sizeBytes,
        isKnown: models.has(name),
        get info() {
          return models.get(name);
        },
        get codings() {
          const info = models.get(name);
          return info === undefined ? new Map() : columnCodings(sourceForm(table), info);
        },
        ignored: new Set(ignored),
        defined: isCompared || isNew(database, table.table) ? undefined : definitionOf(table, session),
      };
    }),
    session,
    compatLightning: options.compatLightning,
    allowShortRows: options.allowShortRows,
    castErrorsAllowed: options.typeErrorsMax > 0,
    invalidReplacement: options.invalidReplacement,
    files: env.files,
    sortedKvDir: options.sortedKvDir,
    target:
      tidb === undefined || options.intoRows || options.backend === "tidb"
        ? undefined
        : { isEmpty: options.parallelIndex === undefined ? isEmpty : async () => true, connectionsMax },
    touched: new Set(state?.batches.flatMap((batch) => (batch?.begun ? batch.tables : []))),
    stateDifferences,
    signal: env.signal,
  };
}

/** What the target's own may differ from. */
function definitionOf(table: SourceTable, session: EncodeSession): CheckedTable["defined"] {
  const { create } = table;
  if (create === undefined) return undefined;
  const columns = (): readonly ColumnInfo[] | undefined => {
    try {
      return modelFromSource(table, session)?.cols;
    } catch {
      // In words that only the server that it was dumped from knows: the target has its own.
      return undefined;
    }
  };
  return { file: create.file, columns };
}

/** The checks before an import; throws when one failed, before anything was written. */
export async function precheck(context: RunContext, session: EncodeSession, before?: TableNames): Promise<void> {
  const { options, env, plan, models, tidb, job } = context;
  if (!options.checkRequirements) return;
  const more = { tidb, state: job.state, stateDifferences: undefined, streams: context.streams, before };
  await failOf(env, checkInput(options, env, plan, models, session, more));
}

/** Runs the checks, says what they found, and throws when one failed. */
export async function failOf(env: ImportEnvironment, input: CheckInput): Promise<void> {
  const findings = await runChecks(input);
  for (const finding of findings) sayFinding(env, finding);
  const failed = findings.filter(({ status }) => status === "failed");
  if (failed.length > 0) throw failedChecks(failed);
}

function sayFinding(env: ImportEnvironment, { check, status, detail }: Finding): void {
  env.emit({ kind: "check", check, status, detail });
}

const SHOWN = 5;

function failedChecks(failed: readonly Finding[]): LevinError {
  const first = failed[0]!;
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more; see levin check)` : "";
  if (failed.every(({ check }) => check === "target-empty")) {
    const names = failed.slice(0, SHOWN).map(({ cause }) => `"${cause!.fields["table"]}"`);
    const rest = failed.length > SHOWN ? ` and ${failed.length - SHOWN} more` : "";
    const tables = `${failed.length === 1 ? "table" : "tables"} ${names.join(", ")}${rest}`;
    return new LevinError("Levin:Check:ErrTargetNotEmpty", `Cannot import: the target's ${tables} must be empty`, {
      fields: { tables: failed.length },
    });
  }
  // An error of the disk is none of the source; it keeps its name, and the next run may do better.
  const disk = failed.find(({ cause }) => cause?.code === "Levin:Source:ErrUnreadable");
  if (disk !== undefined) return disk.cause!;
  // What is wrong with one file keeps its name too: a script tells a bad row from a full disk by the code.
  if (failed.length === 1 && first.cause !== undefined) return first.cause;
  const fields = { ...first.cause?.fields, check: first.check, failed: failed.length };
  return new LevinError("Levin:Check:ErrFailed", `${first.detail}${more}`, { cause: first.cause, fields });
}
