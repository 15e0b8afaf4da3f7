import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type EventSink, LevinError, type PauseGate, systemFiles } from "../../base/mod.ts";
import { loadConfig } from "../../config/mod.ts";
import { writeConflictNote } from "../../importer/mod.ts";
import {
  BeatStore,
  type CoordIdentity,
  type CoordStore,
  DirectoryPlace,
  defaultLoadMetrics,
  EtcdStore,
  engineConfig,
  type LoadUnitEnvironment,
  noCoordination,
  type SubTask,
  TablePlace,
} from "../../load/mod.ts";
import { connectTidb, type TidbOptions } from "../../tidb/mod.ts";
import { readText } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { addressList } from "../ports.ts";
import { clusterTls, tidbTls } from "../tls-options.ts";
import { importEngine } from "./engine.ts";
import { type CoordArgs, duration, type LoadTask, number, workerName } from "./task.ts";

/** The connection to a subtask's target, with its TLS. */
export function targetOf(subtask: SubTask): TidbOptions {
  const table = engineConfig(subtask, { sqlMode: "", timeZone: "" }, { stateDir: "", sources: 1 });
  const tls = loadConfig({ file: { path: "the task", table: { security: table["security"] ?? {} } } });
  const sqlTls = tidbTls(tls, clusterTls(tls));
  const { host, port, user, password } = subtask.to;
  return {
    host,
    port,
    user,
    password,
    connectionsMax: 4,
    connectTimeoutMs: 10_000,
    anyServer: subtask.loader.importMode === "logical",
    ...(sqlTls === undefined ? {} : { tls: sqlTls }),
  };
}

/** Where the sources of a task meet, as the flags say. */
export async function openCoord(io: CommandIo, { subtask }: LoadTask, args: CoordArgs): Promise<CoordStore> {
  const { name: task, sourceId: source, sources, metaSchema } = subtask;
  const me: CoordIdentity = { task, source, worker: workerName(args.worker), sources };
  const { clock } = io;
  if (args.etcd !== undefined) {
    if (args.coord !== undefined) throw usage("--etcd and --coord say both where sources meet");
    const tls = etcdTls(args);
    const endpoints = args.etcd.split(",").map((one) => one.trim());
    addressList(args.etcd, `--etcd ${args.etcd}`, "Levin:Command:ErrUsage");
    return new EtcdStore(me, { endpoints, clock, ...(tls === undefined ? {} : { tls }) });
  }
  const where = args.coord ?? "none";
  if (where === "none") return noCoordination;
  if (where.startsWith("dir:")) {
    return new BeatStore("directory", me, new DirectoryPlace(systemFiles, clock, resolve(where.slice(4)), task), {
      clock,
    });
  }
  if (where !== "table") throw usage(`--coord ${where}: it must be table, dir:PATH or none`);
  const tidb = await connectTidb(targetOf(subtask));
  return new BeatStore("table", me, new TablePlace(tidb, metaSchema, task), { clock, onClose: () => tidb.close() });
}

function etcdTls({
  etcdCa,
  etcdCert,
  etcdKey,
}: CoordArgs): { material: { ca?: string; cert?: string; key?: string } } | undefined {
  if (etcdCa === undefined && etcdCert === undefined && etcdKey === undefined) return undefined;
  const pem = (path: string | undefined, name: string) =>
    path === undefined ? {} : { [name]: readText(path, `--etcd-${name}`) };
  return { material: { ...pem(etcdCa, "ca"), ...pem(etcdCert, "cert"), ...pem(etcdKey, "key") } };
}

function usage(what: string): LevinError {
  return new LevinError("Levin:Command:ErrUsage", `Cannot use ${what}`);
}

/** The world of a unit that this process runs. */
export function unitEnvironment(
  io: CommandIo,
  task: LoadTask,
  coord: CoordStore,
  args: CoordArgs,
  emit: EventSink,
  gate?: PauseGate,
): LoadUnitEnvironment {
  const stateDir = join(task.stateDir, "import");
  mkdirSync(stateDir, { recursive: true });
  const expectSources = number("expect-sources", args.expectSources);
  const barrierPatienceMs = duration("barrier-timeout", args.barrierTimeout);
  return {
    clock: io.clock,
    files: systemFiles,
    emit,
    engine: importEngine(io, gate),
    noteConflict: writeConflictNote,
    connect: connectTidb,
    target: targetOf(task.subtask),
    coord,
    metrics: defaultLoadMetrics,
    worker: workerName(args.worker),
    stateDir,
    ...(expectSources === undefined ? {} : { expectSources }),
    ...(barrierPatienceMs === undefined ? {} : { barrierPatienceMs }),
  };
}
