import { LevinError } from "../base/mod.ts";
import type { EncodeSession } from "../encoder/mod.ts";
import { type Finding, runChecks } from "../precheck/mod.ts";
import { type FileReport, PlainStreams } from "../source/mod.ts";
import { readServerVariables, type Tidb } from "../tidb/mod.ts";
import { readJob } from "./job.ts";
import { changesOf } from "./job-state.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import { checkInput } from "./prechecks.ts";
import { modelFromSource } from "./source-model.ts";
import { fileFingerprint, type SourcePlan, scanSource } from "./source-plan.ts";
import { demandStatusPort } from "./status-port.ts";
import { parseTableInfoList, TableModels } from "./table-models.ts";

export interface CheckResult {
  files: readonly FileReport[];
  tables: { table: string; files: number; sizeBytes: number }[];
  findings: Finding[];
}

/**
 * What `levin check` does: everything that an import does before it writes, and no more. Without `withTarget` tables are those of the
 * source's schema files, and what needs the target is skipped.
 */
export async function checkSource(
  options: ImportOptions,
  env: ImportEnvironment,
  withTarget: boolean,
): Promise<CheckResult> {
  const problems: Finding[] = [];
  const plan = await scanSource({ ...options, ignoreUnmatched: true }, env, (cause) => {
    problems.push({ check: "files-sound", status: "failed", detail: cause.message, cause });
  });
  await using closers = new AsyncDisposableStack();
  let tidb: Tidb | undefined;
  if (withTarget) {
    tidb = await env.world.connectTidb(options.tidb, env.signal);
    closers.defer(() => tidb!.close());
  }
  const session = await sessionOf(options, env, tidb);
  const { models, findings } = await modelsOf(plan, options, env, session, withTarget);
  const state = await readJob(env.files, options.stateDir);
  const stateDifferences =
    state?.fingerprint === undefined
      ? undefined
      : changesOf({ ...state, fingerprint: onlyFiles(state.fingerprint) }, onlyFiles(fileFingerprint(plan)));
  const streams = new PlainStreams(plan.storage);
  closers.defer(() => streams.close());
  const input = checkInput(options, env, plan, models, session, { tidb, state, stateDifferences, streams });
  findings.unshift(...problems);
  const unknown = plan.source.files.filter((file) => file.verdict === "unknown");
  if (!options.ignoreUnmatched) {
    for (const { path, detail } of unknown)
      findings.push({ check: "files-matched", status: "failed", detail: `"${path}" fits no rule: ${detail}` });
  }
  findings.push(...(await runChecks(input)));
  const tables = plan.tables.map(({ name, files, sizeBytes }) => ({ table: name, files: files.length, sizeBytes }));
  return { files: plan.source.files, tables, findings };
}

const onlyFiles = (fingerprint: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fingerprint).filter(([name]) => name.startsWith("file ")));

async function sessionOf(
  options: ImportOptions,
  env: ImportEnvironment,
  tidb: Tidb | undefined,
): Promise<EncodeSession> {
  const variables = tidb === undefined ? undefined : await readServerVariables(tidb);
  return {
    sqlMode: options.sqlMode,
    timeZone: options.timeZone ?? variables?.timeZone ?? "UTC",
    newCollations: variables?.newCollations ?? true,
    rowFormatVersion: variables?.rowFormatVersion ?? 2,
    rowLevelChecksum: variables?.rowLevelChecksum ?? false,
    nowMs: env.clock.nowMs(),
    defaultWeekFormat: variables?.defaultWeekFormat ?? 0,
    ...(variables !== undefined && { jsonDoubles: variables.jsonDoubles }),
  };
}

/** A table as the target has it, else as the source's schema file will make it. */
async function modelsOf(
  plan: SourcePlan,
  options: ImportOptions,
  env: ImportEnvironment,
  session: EncodeSession,
  withTarget: boolean,
): Promise<{ models: TableModels; findings: Finding[] }> {
  const models = new TableModels();
  const findings: Finding[] = [];
  const target = new TableModels();
  // By statements rows come in without it.
  if (withTarget && options.backend === "local") {
    const cause = await demandStatusPort(options, env).then(() => undefined, LevinError.from);
    if (cause !== undefined) findings.push({ check: "status-port", status: "failed", detail: cause.message, cause });
  }
  const isReadable = withTarget && findings.length === 0;
  for (const database of isReadable ? new Set(plan.tables.map((table) => table.database)) : []) {
    // A database that is not there yet is refused.
    const path = `/schema/${encodeURIComponent(database)}`;
    const text = await env.world.getStatusPort(options.statusPort, path).catch(() => "[]");
    for (const info of parseTableInfoList(text)) target.add(`${database}.${info.name.L}`, info);
  }
  for (const table of plan.tables) {
    const there = target.get(`${table.database}.${table.table.toLowerCase()}`);
    try {
      const info = there ?? modelFromSource(table, session);
      if (info !== undefined) models.add(table.name, info);
    } catch (thrown) {
      const cause = LevinError.from(thrown);
      const file = table.create?.file;
      findings.push({ check: "schema-valid", status: "failed", detail: `"${file}": ${cause.message}`, cause });
    }
  }
  return { models, findings };
}
