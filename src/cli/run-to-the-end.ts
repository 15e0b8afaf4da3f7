import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type EventSink, LevinError, type PauseGate, systemWords } from "../base/mod.ts";
import { type ImportOptions, runImport, stateError } from "../importer/mod.ts";
import type { LogLevel } from "../server/mod.ts";
import { importEnvironment } from "./environment.ts";
import type { CommandIo } from "./io.ts";
import { jsonSink, liveSink, logFileSink, type OutputSink, plainSink, tee } from "./output/sinks.ts";

export interface RunSettings {
  /** Events as JSON lines on standard output. */
  json: boolean;
  /** What the log file takes; may be changed while the run goes on. */
  log: { level: LogLevel };
  /** `lightning.file`: a second log file, with the same lines; empty or "-": none. */
  logFile?: string;
  /** One more listener. */
  onEvent?: EventSink;
  gate?: PauseGate;
  /** Ends the run; the command's own when absent. */
  signal?: AbortSignal;
}

/** The file, made with its directory, as an absolute path. */
function demandLogFile(given: string): string {
  const path = resolve(given);
  try {
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(path, "a"));
    return path;
  } catch (cause) {
    const message = `Cannot write the log file "${path}" (lightning.file): ${systemWords(cause)}`;
    throw new LevinError("Levin:Config:ErrInvalid", message, { cause, fields: { path } });
  }
}

/** One import with its output and log file; its exit code, or the error that ended it. */
export async function runToTheEnd(io: CommandIo, options: ImportOptions, settings: RunSettings): Promise<number> {
  try {
    mkdirSync(options.stateDir, { recursive: true });
  } catch (thrown) {
    throw stateError(options.stateDir, "make the directory", thrown);
  }
  const { logFile = "" } = settings;
  const own = join(options.stateDir, "levin.log");
  const logs = logFile === "" || logFile === "-" ? [own] : [...new Set([own, demandLogFile(logFile)])];
  const log = logFileSink(logs, io.clock, settings.log);
  const sinks: OutputSink[] = [log];
  const events = settings.json ? jsonSink(io.stdout, io.clock) : undefined;
  if (events !== undefined) sinks.push(events);
  if (settings.onEvent !== undefined) sinks.push({ emit: settings.onEvent, close() {} });
  sinks.push(io.terminal === undefined ? plainSink(io.stderr, io.clock) : liveSink(io.terminal, io.clock));
  const sink = tee(...sinks);
  const signal = settings.signal ?? io.signal;
  const startedMs = io.clock.monotonicMs();
  try {
    const {
      sums: _,
      conflicts: _conflicts,
      ...result
    } = await runImport(
      options,
      importEnvironment(io, sink.emit, { signal, ...(settings.gate === undefined ? {} : { gate: settings.gate }) }),
    );
    sink.emit({ kind: "summary", ...result, elapsedMs: io.clock.monotonicMs() - startedMs, exitCode: 0 });
    return 0;
  } catch (thrown) {
    const error = signal.aborted
      ? new LevinError("Levin:Command:ErrInterrupted", "The import was interrupted", { cause: thrown })
      : LevinError.from(thrown);
    const event = { kind: "log", level: "error", message: error.message } as const;
    const fields = { code: error.code, ...error.fields };
    events?.emit({ ...event, fields });
    log.emit({ ...event, fields: { ...fields, stack: (error.cause as Error)?.stack ?? error.stack } });
    throw error;
  } finally {
    sink.close();
  }
}
