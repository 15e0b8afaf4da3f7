import { CheckpointStatus, type CheckpointsModel } from "./model.ts";

/** `all`, or a table by its qualified name, or as `db.table` without quotes: Lightning takes that silently for no table. */
export function selectTables(model: CheckpointsModel, which: string): string[] {
  const plain = (name: string): string => name.replace(/^`|`$/g, "").replace("`.`", ".").replaceAll("``", "`");
  return Object.keys(model.checkpoints)
    .filter((name) => which === "all" || name === which || plain(name) === which)
    .sort();
}

/** `--checkpoint-error-ignore`: what failed counts as pending. Returns the tables that had failed. */
export function ignoreErrors(model: CheckpointsModel, tables: readonly string[]): string[] {
  const changed: string[] = [];
  for (const name of tables) {
    const record = model.checkpoints[name]!;
    const failed = [record, ...Object.values(record.engines)].filter(
      ({ status }) => status <= CheckpointStatus.maxInvalid,
    );
    for (const one of failed) one.status = CheckpointStatus.loaded;
    if (failed.length > 0) changed.push(name);
  }
  return changed;
}

/** `--checkpoint-error-destroy`: forgets the tables that failed; their rows in the target are the caller's to drop. */
export function destroyErrors(model: CheckpointsModel, tables: readonly string[]): string[] {
  const failed = tables.filter((name) => model.checkpoints[name]!.status <= CheckpointStatus.maxInvalid);
  for (const name of failed) delete model.checkpoints[name];
  return failed;
}

/** Tables that need intermediate files: begun, not yet imported. */
export function tablesWithLocalFiles(model: CheckpointsModel): string[] {
  const { maxInvalid, indexImported, imported } = CheckpointStatus;
  return Object.entries(model.checkpoints)
    .filter(
      ([, { status, engines }]) =>
        status > maxInvalid &&
        status < indexImported &&
        Object.values(engines).some(
          (engine) =>
            engine.status > maxInvalid &&
            engine.status < imported &&
            Object.values(engine.chunks).some((chunk) => chunk.pos > chunk.offset),
        ),
    )
    .map(([name]) => name)
    .sort();
}

/** `--checkpoint-dump`: file name → CSV, with the columns that Lightning's tables have. */
export function dumpCsv(model: CheckpointsModel): Record<"tables.csv" | "engines.csv" | "chunks.csv", string> {
  const task = model.taskCheckpoint?.taskId ?? 0n;
  const tables: unknown[][] = [
    ["task_id", "table_name", "status", "table_id", "auto_rand_base", "auto_incr_base", "auto_row_id_base"],
  ];
  const engines: unknown[][] = [["table_name", "engine_id", "status"]];
  const chunks: unknown[][] = [
    [
      "table_name",
      "path",
      "offset",
      "type",
      "compression",
      "sort_key",
      "file_size",
      "columns",
      "pos",
      "real_pos",
      "end_offset",
      "prev_rowid_max",
      "rowid_max",
      "kvc_bytes",
      "kvc_kvs",
      "kvc_checksum",
    ],
  ];
  for (const name of Object.keys(model.checkpoints).sort()) {
    const table = model.checkpoints[name]!;
    tables.push([task, name, table.status, table.tableID, table.autoRandBase, table.autoIncrBase, table.autoRowIDBase]);
    for (const [id, engine] of Object.entries(table.engines)) {
      engines.push([name, id, engine.status]);
      for (const chunk of Object.values(engine.chunks))
        chunks.push([
          name,
          chunk.path,
          chunk.offset,
          chunk.type,
          chunk.compression,
          chunk.sortKey,
          chunk.fileSize,
          JSON.stringify(chunk.columnPermutation),
          chunk.pos,
          chunk.realPos,
          chunk.endOffset,
          chunk.prevRowidMax,
          chunk.rowidMax,
          chunk.kvcBytes,
          chunk.kvcKvs,
          chunk.kvcChecksum,
        ]);
    }
  }
  return { "tables.csv": csv(tables), "engines.csv": csv(engines), "chunks.csv": csv(chunks) };
}

function csv(rows: readonly unknown[][]): string {
  const cell = (value: unknown): string => {
    const text = String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}
