/** A load unit in this process: task files, an engine that imports into the sandbox, servers where they are installed. */
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { type LevinEvent, systemClock, systemFiles } from "../../src/base/mod.ts";
import { importEngine } from "../../src/cli/load/engine.ts";
import { writeConflictNote } from "../../src/importer/mod.ts";
import {
  defaultLoaderConfig,
  type LoadUnitEnvironment,
  newLoadMetrics,
  noCoordination,
  type SubTask,
} from "../../src/load/mod.ts";
import { connectTidb, type TidbOptions } from "../../src/tidb/mod.ts";
import { commandIo } from "../e2e/in-process.ts";

export function temporaryDir(): string {
  return fs.mkdtempSync(join(os.tmpdir(), "levin-load-"));
}

export interface Target {
  host: string;
  port: number;
  statusPort: number;
}

export function subtaskOf(target: Target, dir: string, more: Partial<SubTask> = {}): SubTask {
  return {
    name: "task1",
    sourceId: "source1",
    mode: "full",
    metaSchema: "dm_meta",
    timezone: "",
    caseSensitive: false,
    cleanDumpFile: false,
    to: { ...target, user: "root", password: "", session: {}, security: undefined },
    loader: { ...defaultLoaderConfig, dir, importMode: "physical", sortingDirPhysical: `${dir}.sorting`, poolSize: 1 },
    routes: [],
    filter: undefined,
    sources: ["source1"],
    ...more,
  };
}

export function targetOptions({ host, port }: Target): TidbOptions {
  return { host, port, user: "root", password: "", connectionsMax: 4, connectTimeoutMs: 5_000 };
}

export function environmentOf(
  target: Target,
  stateDir: string,
  more: Partial<LoadUnitEnvironment> = {},
): LoadUnitEnvironment & { events: LevinEvent[] } {
  const events: LevinEvent[] = [];
  return {
    clock: systemClock,
    files: systemFiles,
    emit: (event) => events.push(event),
    engine: importEngine(commandIo()),
    noteConflict: writeConflictNote,
    connect: connectTidb,
    target: targetOptions(target),
    coord: noCoordination,
    metrics: newLoadMetrics(),
    worker: "worker1",
    stateDir,
    ...more,
    events,
  };
}

/** Writes a dump of one table, `d.t (id int primary key, v varchar(20))`. */
export function writeDump(
  dir: string,
  rows: readonly (readonly [id: number, v: string])[],
  metadata = METADATA,
): string {
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(join(dir, "d-schema-create.sql"), "CREATE DATABASE `d`;\n");
  fs.writeFileSync(
    join(dir, "d.t-schema.sql"),
    "CREATE TABLE `t` (`id` int NOT NULL, `v` varchar(20) DEFAULT NULL, PRIMARY KEY (`id`) /*T![clustered_index] CLUSTERED */);\n",
  );
  fs.writeFileSync(
    join(dir, "d.t.0.sql"),
    `INSERT INTO \`t\` VALUES\n${rows.map(([id, v]) => `(${id},'${v}')`).join(",\n")};\n`,
  );
  if (metadata !== "") fs.writeFileSync(join(dir, "metadata"), metadata);
  return dir;
}

export const METADATA = `Started dump at: 2018-12-28 07:20:49
SHOW MASTER STATUS:
\tLog: mysql-bin.000002
\tPos: 2022
\tGTID:97b5142f-e19c-11e8-808c-0242ac110005:1-13

Finished dump at: 2018-12-28 07:20:51
`;
