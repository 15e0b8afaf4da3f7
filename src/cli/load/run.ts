import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { command } from "cmd-ts";
import { type EventSink, LevinError, type PauseGate } from "../../base/mod.ts";
import { type LoadedConfig, loadConfig, readDocument } from "../../config/mod.ts";
import {
  type Acceptance,
  type ControlRequest,
  defaultLoadMetrics,
  dmctlStatus,
  engineConfig,
  LoadSession,
  LoadUnit,
  localPath,
  readSubTask,
  resolveSqlMode,
  serveControl,
  toDmError,
} from "../../load/mod.ts";
import { loadImportConfig, readText } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { jsonSink, liveSink, logFileSink, type OutputSink, plainSink, tee } from "../output/sinks.ts";
import { serverState, taskOf, withStatusServer } from "../status-server.ts";
import { type AcceptFlags, acceptArgs, acceptanceOf } from "./accept.ts";
import { failureOf } from "./failure.ts";
import { importedSoFar, markRunning, unmarkRunning } from "./running.ts";
import { readSummary } from "./summary.ts";
import {
  type CoordArgs,
  coordArgs,
  type LoadTask,
  loadTask,
  type RunFlags,
  runArgs,
  type TaskArgs,
  taskArgs,
} from "./task.ts";
import { openCoord, unitEnvironment } from "./world.ts";

export const EXIT_INTERRUPTED = 130;

/** `levin load run`: one source of one task, from beginning to end. */
export const runCommand = (io: CommandIo) =>
  command({
    name: "run",
    description: "Load a dump, by DM's task file or by flags; the same command after a failure continues.",
    args: { ...taskArgs, ...coordArgs, ...runArgs, ...acceptArgs },
    handler: (args) => runLoad(io, args),
  });

export type AllRunArgs = TaskArgs & CoordArgs & RunFlags & AcceptFlags;

export async function runLoad(io: CommandIo, args: AllRunArgs): Promise<number> {
  const task = loadTask(io, args, args);
  mkdirSync(task.stateDir, { recursive: true });
  const config = httpConfig(io, task, args.statusAddr);
  const server = { ...serverState(io, "info"), moreMetrics: () => defaultLoadMetrics.exitWithError.text() };
  const sink = outputOf(io, task.stateDir, args.json);
  const emit: EventSink = (event) => {
    sink.emit(event);
    server.monitor.note(event);
  };
  for (const note of task.notes) io.stderr.write(`note: ${note}\n`);
  try {
    let exit = 0;
    const shown = taskOf(io, server, config, async (signal) => {
      exit = await loadAlone(io, task, args, { emit, signal, gate: server.gate });
    });
    await withStatusServer(io, config, server, () => server.board.run(shown, io.signal));
    return exit;
  } catch (thrown) {
    const error = LevinError.from(thrown);
    sink.emit({ kind: "log", level: "error", message: error.message, fields: { code: error.code } });
    throw thrown;
  } finally {
    sink.close();
  }
}

interface Running {
  unit: LoadUnit;
  session: LoadSession;
  task: LoadTask;
}

/** The one process that loads in a state directory is the one that has its control socket. */
async function loadAlone(
  io: CommandIo,
  task: LoadTask,
  args: AllRunArgs,
  { emit, signal, gate }: { emit: EventSink; signal: AbortSignal; gate: PauseGate },
): Promise<number> {
  let running: Running | undefined;
  const control = await serveControl(task.stateDir, io.clock, (request) => handle(request, running));
  try {
    rememberStart(task, args);
    markRunning(task, io.clock.nowMs());
    const coord = await openCoord(io, task, args);
    try {
      const unit = new LoadUnit(task.subtask, unitEnvironment(io, task, coord, args, emit, gate));
      const session = new LoadSession({
        unit,
        clock: io.clock,
        random: io.random,
        signal,
        autoResume: !args.noAutoResume,
        stay: args.stay,
        acceptance: acceptanceOf(args),
        say: (message) => emit({ kind: "log", level: "warn", message }),
      });
      running = { unit, session, task };
      try {
        return await runSession(io, running, emit);
      } finally {
        await unit.close();
      }
    } finally {
      await coord.close().catch(() => undefined);
    }
  } finally {
    unmarkRunning(task.stateDir);
    await control.close();
  }
}

async function runSession(io: CommandIo, { unit, session, task }: Running, emit: EventSink): Promise<number> {
  const startedMs = io.clock.monotonicMs();
  const title = `${task.subtask.name}, ${task.subtask.sourceId}`;
  await unit.init().catch((thrown: unknown) => {
    throw failureOf(toDmError(thrown), title);
  });
  const loadedBefore = unit.isFinished;
  const { errors } = await session.run();
  const failure = unit.failure;
  const { rows, changedValues, tablesDone } = unit.detail();
  const { totalBytes } = unit.status();
  const elapsedMs = io.clock.monotonicMs() - startedMs;
  if (loadedBefore && session.state === "finished") {
    await sayLoaded(io, task, { ...dmctlStatus(unit.status()), elapsedMs, errors }, emit);
    return 0;
  }
  const status = dmctlStatus(unit.status());
  writeSummary(io, task, { state: session.state, ...status, rows, changedValues, elapsedMs, errors });
  if (errors.length > 0 && failure !== undefined && session.state === "failed") throw failureOf(failure, title);
  if (session.state !== "finished") {
    io.stderr.write(`the load of ${title} is stopped; its state is kept in ${task.stateDir}\n`);
    return EXIT_INTERRUPTED;
  }
  emit({ kind: "summary", rows, sourceBytes: totalBytes, tables: tablesDone, elapsedMs, exitCode: 0 });
  return 0;
}

/** Of a load that had ended before this process: its summary stays, or is made of what is known where that process has not come to it. */
async function sayLoaded(io: CommandIo, task: LoadTask, more: Record<string, unknown>, emit: EventSink): Promise<void> {
  const { subtask, stateDir } = task;
  const summary = readSummary(stateDir);
  const known = summary?.state === "finished";
  const { rows } = await importedSoFar(stateDir);
  // Where another directory has the load's state, this one has nothing to tell.
  if (!known && rows > 0) writeSummary(io, task, { state: "finished", ...more, rows });
  const when = known ? `at ${summary.endedAt}, ${summary.rows} rows` : "by an earlier run";
  const message = `${subtask.name}, ${subtask.sourceId} was loaded already (${when}); levin load reset forgets it`;
  emit({ kind: "log", level: "warn", message });
}

/** What the import will be told, with where to listen; certificates and token are those of `levin import`. */
function httpConfig(io: CommandIo, { subtask, stateDir }: LoadTask, statusAddr: string | undefined): LoadedConfig {
  const session = { sqlMode: resolveSqlMode(subtask, () => undefined), timeZone: subtask.timezone };
  const table = engineConfig(subtask, session, { stateDir, sources: subtask.sources.length });
  const flags = new Map(statusAddr === undefined ? [] : [["lightning.status-addr", statusAddr]]);
  return loadConfig({ base: loadImportConfig(io, undefined, flags, false), file: { path: "the task", table } });
}

function outputOf(io: CommandIo, stateDir: string, json: boolean): OutputSink {
  const log = logFileSink([join(stateDir, "levin.log")], io.clock, { level: "info" });
  const sinks: OutputSink[] = [log];
  if (json) sinks.push(jsonSink(io.stdout, io.clock));
  const shown = io.terminal === undefined ? plainSink(io.stderr, io.clock) : liveSink(io.terminal, io.clock);
  // Errors end the command, which prints them.
  const emit: EventSink = (event) => {
    if (event.kind !== "log" || event.level !== "error") shown.emit(event);
  };
  sinks.push({ emit, close: () => shown.close() });
  return tee(...sinks);
}

/** How the load was begun, for `resume` without the same flags; no password. */
function rememberStart(task: LoadTask, args: AllRunArgs): void {
  const { password: _, acceptDuplicates: _a, acceptChecksumMismatch: _b, ...given } = args;
  // It may be resumed from another directory.
  const whole = (path: string | undefined) => (path === undefined ? undefined : resolve(localPath(path)));
  const kept = { ...given, dir: whole(given.dir), secretKey: whole(given.secretKey) };
  const path = join(task.stateDir, "load.json");
  writeFileSync(path, `${JSON.stringify({ ...kept, config: task.configPath, stateDir: task.stateDir })}\n`);
  chmodSync(path, 0o600);
}

function writeSummary(io: CommandIo, task: LoadTask, more: Record<string, unknown>): void {
  const { name, sourceId, mode, loader } = task.subtask;
  const summary = {
    task: name,
    source: sourceId,
    mode,
    importMode: loader.importMode,
    dir: loader.dir,
    endedAt: new Date(io.clock.nowMs()).toISOString(),
    ...more,
  };
  writeFileSync(join(task.stateDir, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
}

/** Commands over the control socket. */
async function handle(request: ControlRequest, running: Running | undefined): Promise<Record<string, unknown>> {
  if (request.command === "ping") return {};
  if (running === undefined) throw new Error("it has only begun");
  const { unit, session, task } = running;
  switch (request.command) {
    case "status":
      return {
        state: session.state,
        status: dmctlStatus(unit.status()),
        detail: { ...unit.detail() },
        task: unit.subtask.name,
        source: unit.subtask.sourceId,
      };
    case "metrics":
      return { text: defaultLoadMetrics.exitWithError.text() };
    case "pause":
      await session.pause();
      return { state: session.state };
    case "resume":
      session.resume(request["acceptance"] as Acceptance | undefined);
      return { state: "running" };
    case "stop":
      await session.stop();
      return { state: "stopped" };
    case "update": {
      if (task.configPath === undefined) throw new Error("the load has no task file");
      const document = readDocument(task.configPath, readText(task.configPath, "the task file"));
      const { filter, routes } = readSubTask(document, task.configPath, task.subtask.sourceId, []);
      unit.update({ filter, routes });
      return {};
    }
    default:
      throw new Error(`there is no command "${request.command}"`);
  }
}
