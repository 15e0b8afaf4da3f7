import { LevinError } from "../base/mod.ts";
import {
  type DataFile,
  loadSource,
  type SourceTable as ModelTable,
  type Source,
  type Storage,
  type StoredFile,
} from "../source/mod.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import type { Fingerprint } from "./records.ts";
import type { TableModels } from "./table-models.ts";

/** A table of the source by its name in the target. */
export interface SourceTable extends ModelTable {
  /** `db.table` */
  readonly name: string;
  readonly sizeBytes: number;
}

export interface SourcePlan {
  storage: Storage;
  source: Source;
  /** Those that have data, in the order of their names; those of a dump as they stand in it, so that it is read once. */
  tables: SourceTable[];
  sizeBytes: number;
}

/** Loads the source, says every file's verdict, and finds the tables that have data. */
export async function scanSource(
  options: ImportOptions,
  env: ImportEnvironment,
  onProblem?: (problem: LevinError) => void,
): Promise<SourcePlan> {
  const storage = await env.world.openStorage(options.sourceDir, options.bucket);
  const source = await loadSource(storage, {
    ...options.load,
    dialect: options.csv,
    noSchema: options.noSchema,
    ignoreUnmatched: options.ignoreUnmatched,
    onProblem,
    chunkBytes: options.chunkSizeBytes,
    sqlMode: options.sqlMode,
    signal: env.signal,
  });
  for (const { path, verdict, detail, sizeBytes } of source.files)
    env.emit({ kind: "file", path, verdict, detail, sizeBytes });
  for (const notice of source.notices) env.emit({ kind: "log", level: "warn", message: notice });
  const plainBytes = plainSizes(source.tables);
  const tables = source.tables
    .filter((table) => table.files.length > 0)
    .map((table) => ({
      ...table,
      name: `${table.database}.${table.table}`,
      sizeBytes: table.files.reduce((sum, file) => sum + dataBytes(file, plainBytes), 0),
    }))
    .sort(inReadingOrder);
  if (source.tables.length === 0 && source.views.length === 0 && source.databases.length === 0) {
    throw new LevinError(
      "Levin:Source:ErrUnreadable",
      source.files.some((file) => file.verdict === "filtered")
        ? `Cannot import "${options.sourceDir}": the filter leaves all of its tables out`
        : `Cannot import "${options.sourceDir}": it has neither data nor schema`,
      {
        fields: { file: options.sourceDir },
      },
    );
  }
  return { storage, source, tables, sizeBytes: tables.reduce((sum, table) => sum + table.sizeBytes, 0) };
}

function inReadingOrder(a: SourceTable, b: SourceTable): number {
  const place = ({ files: [first] }: SourceTable): [string, number] =>
    first?.pieces === undefined ? ["", 0] : [first.file.path, first.pieces[0]?.start ?? 0];
  const [pathA, startA] = place(a);
  const [pathB, startB] = place(b);
  if (pathA !== pathB) return pathA < pathB ? -1 : 1;
  return startA - startB || (a.name < b.name ? -1 : 1);
}

/** Bytes of a stored file that are this table's: all of it, or the share of its pieces in a dump of several tables. */
function dataBytes({ file, compression, pieces }: DataFile, plainBytes: ReadonlyMap<string, number>): number {
  if (pieces === undefined) return file.sizeBytes;
  const own = pieces.reduce(
    (sum, piece) => sum + Math.max(0, Math.min(piece.end, endOf(file, compression)) - piece.start),
    0,
  );
  if (compression === "none") return own;
  return Math.round((file.sizeBytes * own) / (plainBytes.get(file.path) || 1));
}

const endOf = (file: StoredFile, compression: string): number =>
  compression === "none" ? file.sizeBytes : Number.POSITIVE_INFINITY;

/** How many decompressed bytes of each dump the rows of its tables reach to. */
function plainSizes(tables: readonly ModelTable[]): Map<string, number> {
  const out = new Map<string, number>();
  for (const { file, pieces } of tables.flatMap(({ files }) => files))
    for (const { end } of pieces ?? []) out.set(file.path, Math.max(out.get(file.path) ?? 0, end));
  return out;
}

/** What decides whether an earlier run's state belongs to this import. */
export function fingerprintOf(
  plan: SourcePlan,
  models: TableModels,
  options: ImportOptions,
  session: Record<string, unknown>,
): Fingerprint {
  const out = sourceFingerprint(plan, options, session);
  for (const { name } of plan.tables) out[`table ${name}`] = models.definitionOf(name);
  return out;
}

/** Without the tables. */
export function sourceFingerprint(
  plan: SourcePlan,
  options: ImportOptions,
  session: Record<string, unknown>,
): Fingerprint {
  const out: Fingerprint = {
    source: options.sourceDir,
    target: options.targetName ?? `${options.tidb.host}:${options.tidb.port}`,
    "CSV dialect": JSON.stringify(options.csv),
    "chunk size": String(options.chunkSizeBytes),
    "batch size": String(options.batchSizeBytes ?? 0),
    "block store": options.blockStore,
  };
  for (const [name, value] of Object.entries(session)) out[name] = String(value);
  for (const [path, value] of Object.entries(options.sourceSettings ?? {})) out[`setting ${path}`] = value;
  if (options.backend === "tidb") out["backend"] = options.backend;
  if (options.parallelIndex !== undefined) out["number of the source"] = String(options.parallelIndex);
  const strategy = options.conflict?.strategy ?? "";
  if (strategy !== "") out["conflict strategy"] = strategy;
  Object.assign(out, fileFingerprint(plan));
  return out;
}

export function fileFingerprint(plan: SourcePlan): Fingerprint {
  const out: Fingerprint = {};
  // What no row is read from may come and go: notes of the dumper, Lightning's checkpoint, which is written beside the dump as DM has it.
  const ignored = new Set(plan.source.files.filter(({ verdict }) => verdict === "ignored").map(({ path }) => path));
  for (const file of plan.source.listing)
    if (!ignored.has(file.path))
      out[`file ${file.path}`] = `${file.sizeBytes} bytes of ${new Date(file.mtimeMs).toISOString()}`;
  return out;
}
