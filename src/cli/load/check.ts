import { command, flag } from "cmd-ts";
import { systemFiles, textOf } from "../../base/mod.ts";
import { loadConfig } from "../../config/mod.ts";
import { checkCluster, checkSource, type ImportEnvironment, type ImportOptions } from "../../importer/mod.ts";
import {
  changeConsumers,
  DmError,
  dmCodes,
  EtcdClient,
  engineConfig,
  isLocalPath,
  localPath,
  parseMetadata,
  positionText,
  type ResolvedSession,
  readLoadCheckpoint,
  resolveSqlMode,
  type SubTask,
  type Table,
  TIME_ZONE_QUERY,
  timeZoneOffset,
} from "../../load/mod.ts";
import { connectTidb, readServerVariables, type Tidb } from "../../tidb/mod.ts";
import { importEnvironment } from "../environment.ts";
import { importOptions } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { textTable } from "../output/text-table.ts";
import { coordArgs, type LoadTask, loadTask, taskArgs } from "./task.ts";
import { targetOf } from "./world.ts";

const EXIT_CHECK_FAILED = 3;
const ETCD_PATIENCE_MS = 5_000;

interface Found {
  check: string;
  status: "ok" | "warning" | "failed" | "skipped";
  detail: string;
}

/** `levin load check`: everything that can be known before a load, without changing anything. */
export const checkCommand = (io: CommandIo) =>
  command({
    name: "check",
    description: "Look whether a load can begin: metadata, dump, target, what was loaded before, checks of the import.",
    args: { ...taskArgs, ...coordArgs, json: flag({ long: "json", description: "as one JSON line" }) },
    handler: async (args) => {
      const task = loadTask(io, args);
      const found = [await metadataCheck(task.subtask), ...(await targetChecks(io, task))];
      const failed = found.filter(({ status }) => status === "failed").length;
      if (args.json) io.stdout.write(`${JSON.stringify({ ok: failed === 0, notes: task.notes, checks: found })}\n`);
      else {
        const rows = found.map(({ check, status, detail }) => [status, check, detail]);
        const end = failed === 0 ? "nothing speaks against the load" : `${failed} failed`;
        io.stdout.write(`${textTable(["result", "check", "what"], rows, [])}\n${end}\n`);
      }
      return failed === 0 ? 0 : EXIT_CHECK_FAILED;
    },
  });

async function metadataCheck({ loader }: SubTask): Promise<Found> {
  const check = "metadata";
  if (!isLocalPath(loader.dir)) return { check, status: "skipped", detail: "the dump is not on this machine" };
  const path = `${localPath(loader.dir)}/metadata`;
  const bytes = await systemFiles.read(path).catch(() => undefined);
  if (bytes === undefined) return { check, status: "failed", detail: `${path} is not there` };
  try {
    const { location } = parseMetadata(textOf(bytes), path);
    return { check, status: "ok", detail: `position ${positionText(location)}, gtid ${location.gtid || "(none)"}` };
  } catch (thrown) {
    const none = thrown instanceof DmError && thrown.kind.code === dmCodes.MetadataNoBinlogLoc.code;
    if (none) return { check, status: "warning", detail: `${thrown.text}; fine unless replication is to follow` };
    return { check, status: "failed", detail: (thrown as Error).message };
  }
}

async function targetChecks(io: CommandIo, task: LoadTask): Promise<Found[]> {
  const { subtask } = task;
  let tidb: Tidb;
  try {
    tidb = await connectTidb(targetOf(subtask));
  } catch (thrown) {
    return [{ check: "target", status: "failed", detail: (thrown as Error).message }];
  }
  try {
    const { version, isTidb } = await readServerVariables(tidb);
    const physical = subtask.loader.importMode === "physical";
    const fits = isTidb || !physical;
    const out: Found[] = [
      {
        check: "target",
        status: fits ? "ok" : "failed",
        detail: fits ? version : `${version} is no TiDB; import-mode physical needs one`,
      },
    ];
    const answer = (await tidb.query(TIME_ZONE_QUERY)).rows[0]?.[0];
    const timeZone = subtask.timezone || (timeZoneOffset(answer) ?? "");
    const warnings: string[] = [];
    const sqlMode = resolveSqlMode(subtask, (text) => void warnings.push(text));
    out.push({
      check: "session",
      status: warnings.length > 0 ? "warning" : "ok",
      detail: `time zone ${timeZone}, sql mode ${sqlMode}${warnings.map((text) => `; ${text}`).join("")}`,
    });
    const { status, record } = await readLoadCheckpoint(tidb, subtask);
    const before =
      status === undefined
        ? "nothing was loaded yet"
        : `${status}${record === undefined ? "" : `, phase ${record.phase}`}`;
    out.push({ check: "checkpoint", status: "ok", detail: before });
    if (status !== "finished" && fits) out.push(...(await importChecks(io, task, { timeZone, sqlMode, isTidb })));
    return out;
  } finally {
    await tidb.close();
  }
}

/** What the import itself would check, and of a cluster that pairs go into whether it is fit for them. */
async function importChecks(
  io: CommandIo,
  { subtask, stateDir }: LoadTask,
  session: ResolvedSession,
): Promise<Found[]> {
  const env = importEnvironment(io, () => undefined);
  try {
    const config = engineConfig(subtask, session, { stateDir: `${stateDir}/import`, sources: 1 });
    const options = importOptions(io, loadConfig({ file: { path: "the task", table: config } }), undefined, false);
    const { findings, tables } = await checkSource(options, env, true);
    const found = findings.map(({ check, status, detail }) => ({ check, status, detail }));
    if (subtask.loader.importMode !== "physical") return found;
    const sizeBytes = tables.reduce((sum, table) => sum + table.sizeBytes, 0);
    return [...found, ...(await clusterChecks(io, options, env, { sizeBytes, tables: tables.length }))];
  } catch (thrown) {
    return [{ check: "import", status: "failed", detail: (thrown as Error).message }];
  }
}

/** DM's checks of physical mode (reference §16), by the cluster's PD. */
async function clusterChecks(
  io: CommandIo,
  options: ImportOptions,
  env: ImportEnvironment,
  load: { sizeBytes: number; tables: number },
): Promise<Found[]> {
  let cluster: Awaited<ReturnType<typeof checkCluster>>;
  try {
    cluster = await checkCluster(options, env, load);
  } catch (thrown) {
    return [{ check: "cluster", status: "failed", detail: (thrown as Error).message }];
  }
  const found = cluster.findings.map(({ check, status, detail }) => ({ check, status, detail }));
  return [...found, await consumersCheck(io, cluster.pd, options)];
}

/** Pairs that are ingested do not pass by those who read changes. */
async function consumersCheck(io: CommandIo, pd: readonly string[], { clusterTls }: ImportOptions): Promise<Found> {
  const check = "change-consumers";
  const tls = clusterTls === undefined ? {} : { tls: { material: clusterTls.current ?? clusterTls } };
  const etcd = new EtcdClient({ endpoints: pd, clock: io.clock, patienceMs: ETCD_PATIENCE_MS, ...tls });
  try {
    const { changefeeds, logBackups } = await changeConsumers((prefix) => etcd.prefix(prefix));
    if (changefeeds.length + logBackups.length === 0)
      return { check, status: "ok", detail: "no changefeed and no log backup runs" };
    const shown = [
      ...(changefeeds.length === 0 ? [] : [`changefeeds ${changefeeds.join(", ")}`]),
      ...(logBackups.length === 0 ? [] : [`log backups ${logBackups.join(", ")}`]),
    ];
    const detail = `${shown.join("; ")} would miss what a physical import brings in; end them, or take import-mode logical`;
    return { check, status: "failed", detail };
  } catch (thrown) {
    return { check, status: "warning", detail: `PD's etcd was not read: ${(thrown as Error).message}` };
  } finally {
    etcd.close();
  }
}

/** `levin load config`: what the engine is told. */
export const configCommand = (io: CommandIo) =>
  command({
    name: "config",
    description: "Show the import's configuration that a task means, with tidb-lightning's keys, as JSON.",
    args: { ...taskArgs },
    handler: async (args) => {
      const { subtask, stateDir, notes } = loadTask(io, args);
      for (const note of notes) io.stderr.write(`note: ${note}\n`);
      const session = {
        timeZone: subtask.timezone || "(the target's)",
        sqlMode: resolveSqlMode(subtask, () => undefined),
      };
      const config = engineConfig(subtask, session, {
        stateDir: `${stateDir}/import`,
        sources: subtask.sources.length,
      });
      io.stdout.write(`${JSON.stringify(withoutSecrets(config), null, 2)}\n`);
      return 0;
    },
  });

function withoutSecrets(config: Table): Table {
  const tidb = config["tidb"] as Table;
  const security = config["security"] as Table | undefined;
  const hidden =
    security &&
    Object.fromEntries(
      Object.entries(security).map(([key, value]) => [key, key.endsWith("-bytes") ? "******" : value]),
    );
  return {
    ...config,
    tidb: { ...tidb, password: tidb["password"] === "" ? "" : "******" },
    ...(hidden === undefined ? {} : { security: hidden }),
  };
}
