import { LevinError } from "../base/mod.ts";
import {
  assertAllKnown,
  type DataFile,
  type FileVerdict,
  openLocalStorage,
  routeFiles,
  type SchemaFile,
  type Storage,
  sortDataFiles,
} from "../source/mod.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import type { Fingerprint } from "./records.ts";

export interface SourceTable {
  /** `db.table` */
  name: string;
  database: string;
  table: string;
  files: DataFile[];
  sizeBytes: number;
}

export interface SourcePlan {
  storage: Storage;
  verdicts: FileVerdict[];
  schemaFiles: SchemaFile[];
  /** In the order of their names. */
  tables: SourceTable[];
  databases: string[];
  sizeBytes: number;
}

/** Lists the source, gives every file its verdict and says so, groups data files by table. */
export async function scanSource(options: ImportOptions, env: ImportEnvironment): Promise<SourcePlan> {
  const storage = await openLocalStorage(options.sourceDir);
  const files = await storage.list(env.signal);
  const verdicts = routeFiles(files);
  for (const verdict of verdicts) {
    const detail = verdict.verdict === "ignored" || verdict.verdict === "unknown" ? { detail: verdict.reason } : {};
    env.emit({
      kind: "file",
      path: verdict.file.path,
      verdict: verdict.verdict,
      sizeBytes: verdict.file.sizeBytes,
      ...detail,
    });
  }
  if (!options.ignoreUnmatched) assertAllKnown(verdicts);
  const schemaFiles = verdicts.filter((one) => one.verdict === "schema");
  const byTable = new Map<string, DataFile[]>();
  for (const verdict of verdicts) {
    if (verdict.verdict !== "data") continue;
    const name = `${verdict.database}.${verdict.table}`;
    const found = byTable.get(name);
    if (found === undefined) byTable.set(name, [verdict]);
    else found.push(verdict);
  }
  const tables = [...byTable]
    .map(([name, unsorted]) => {
      const sorted = sortDataFiles(unsorted);
      const { database, table } = sorted[0]!;
      return {
        name,
        database,
        table,
        files: sorted,
        sizeBytes: sorted.reduce((sum, { file }) => sum + file.sizeBytes, 0),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (tables.length === 0 && schemaFiles.length === 0) {
    throw new LevinError(
      "Levin:Source:ErrUnreadable",
      `Cannot import "${options.sourceDir}": it has no data or schema file`,
      {
        fields: { file: options.sourceDir },
      },
    );
  }
  const databases = [
    ...new Set([...schemaFiles.map((file) => file.database), ...tables.map((table) => table.database)]),
  ].sort();
  return {
    storage,
    verdicts,
    schemaFiles,
    tables,
    databases,
    sizeBytes: tables.reduce((sum, table) => sum + table.sizeBytes, 0),
  };
}

/** What decides whether an earlier run's state belongs to this import. */
export function fingerprintOf(plan: SourcePlan, options: ImportOptions, session: Record<string, unknown>): Fingerprint {
  const out: Fingerprint = {
    "source directory": options.sourceDir,
    target: options.targetName ?? `${options.tidb.host}:${options.tidb.port}`,
    "CSV dialect": JSON.stringify(options.csv),
  };
  for (const [name, value] of Object.entries(session)) out[name] = String(value);
  for (const { files } of plan.tables) {
    for (const { file } of files)
      out[`file ${file.path}`] = `${file.sizeBytes} bytes of ${new Date(file.mtimeMs).toISOString()}`;
  }
  return out;
}
