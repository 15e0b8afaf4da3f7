import { join, resolve } from "node:path";
import { LevinError, systemFiles } from "../base/mod.ts";
import { type LoadedConfig, printConfig } from "../config/mod.ts";
import { demandIdle, type ImportOptions, readJob } from "../importer/mod.ts";
import type { LogLevel } from "../server/mod.ts";
import { openLocalStorage } from "../source/mod.ts";
import { booleanValue, givenFlags } from "./import-flags.ts";
import { askPassword, importOptions, inputStateDir, loadImportConfig, type SourceVerb } from "./import-options.ts";
import type { CommandIo } from "./io.ts";
import { runToTheEnd } from "./run-to-the-end.ts";
import type { RunningSandbox } from "./sandbox.ts";
import { spoolInput } from "./source-path.ts";
import { serverState, taskOf, withStatusServer } from "./status-server.ts";
import { storeCount } from "./store-count.ts";

/** What `levin import` was given, and the flags of configuration keys beside it. */
interface ImportArguments extends Readonly<Record<string, unknown>> {
  readonly source: string | undefined;
  readonly config: string | undefined;
  readonly sandbox: string | undefined;
  readonly stores: string | undefined;
  readonly fresh: boolean;
  readonly json: boolean;
  readonly printConfig: boolean;
  readonly strictConfig: string | undefined;
}

/** Carries out `levin import`; its exit code. */
export async function runImportCommand(io: CommandIo, args: ImportArguments): Promise<number> {
  const config = loadImportConfig(
    io,
    args.config,
    givenFlags(args),
    booleanValue("strict-config", args.strictConfig, false),
  );
  if (args.printConfig) {
    io.stdout.write(`${printConfig(config)}\n`);
    return 0;
  }
  for (const note of config.notes) io.stderr.write(`note: ${note}\n`);
  if (config.get("lightning.server-mode") === true) return (await import("./commands/server.ts")).runServer(io, config);
  let options = await importJob(io, config, args.source, args.fresh);
  // Before a sandbox or a state directory is made for a path that is not there.
  if (options.bucket === undefined) await openLocalStorage(options.sourceDir);
  let sandbox: RunningSandbox | undefined;
  if (args.sandbox !== undefined) {
    for (const path of ["tidb.host", "tidb.port", "tidb.status-port", "tidb.pd-addr"]) {
      if (config.origin(path) === "flag")
        throw new LevinError(
          "Levin:Command:ErrUsage",
          `Cannot use --sandbox together with ${path}: say where to import once`,
        );
    }
    const { openSandbox } = await import("./sandbox.ts");
    sandbox = await openSandbox(io, { dir: resolve(args.sandbox), stores: storeCount(args.stores) });
    options = intoSandbox(options, sandbox);
  } else {
    if (args.stores !== undefined)
      throw new LevinError(
        "Levin:Command:ErrUsage",
        "Cannot use --stores without --sandbox: it is how many a new one has",
      );
    options = await askPassword(io, config, options);
  }
  try {
    return await runServed(io, config, options, args.json);
  } finally {
    await sandbox?.close();
  }
}

/** An import of the state directory goes on with what is kept there; with `fresh` none does, but one may be running. */
async function hasBegun(io: CommandIo, stateDir: string, fresh: boolean): Promise<boolean> {
  if (!fresh) return (await readJob(systemFiles, stateDir)) !== undefined;
  try {
    await demandIdle({ files: systemFiles, clock: io.clock, pid: io.pid, emit: () => undefined }, stateDir);
  } catch (thrown) {
    // What is damaged is forgotten anyway.
    if (thrown instanceof LevinError && thrown.code === "Levin:State:ErrLocked") throw thrown;
  }
  return false;
}

async function* noInput(): AsyncGenerator<Uint8Array> {}

/** Options of an import; `-` is standard input, which is kept as a file first and is not split. */
export async function importJob(
  io: CommandIo,
  config: LoadedConfig,
  source: string | undefined,
  fresh: boolean,
  verb: SourceVerb = "import",
): Promise<ImportOptions> {
  if (source !== "-") return importOptions(io, config, source, fresh, verb);
  const stateDir = inputStateDir(config);
  const begun = await hasBegun(io, stateDir, fresh);
  const table = config.get("levin.table") !== "";
  const path = await spoolInput(io.stdin ?? noInput(), stateDir, { table, begun, pid: io.pid });
  const options = importOptions(io, config, path, fresh);
  const sortedKvDir = config.isSet("tikv-importer.sorted-kv-dir") ? options.sortedKvDir : join(stateDir, "engines");
  return { ...options, stateDir, sortedKvDir, chunkSizeBytes: Number.MAX_SAFE_INTEGER };
}

function intoSandbox(options: ImportOptions, sandbox: RunningSandbox): ImportOptions {
  const { host, port, statusPort } = sandbox.front;
  return {
    ...options,
    tidb: { ...options.tidb, host, port, user: "root", password: "" },
    // The ports are new at every start; the directory is what stays.
    targetName: `sandbox ${sandbox.dir}`,
    statusPort: { ...options.statusPort, host, port: statusPort },
    pdAddresses: sandbox.pd,
  };
}

/** One import, with the HTTP API beside it where `status-addr` says so. */
async function runServed(io: CommandIo, config: LoadedConfig, options: ImportOptions, json: boolean): Promise<number> {
  const state = serverState(io, config.get("lightning.level") as LogLevel);
  const { log, gate, monitor, board } = state;
  const onEvent = monitor.note.bind(monitor);
  const logFile = config.get("lightning.file") as string;
  let exit = 0;
  const task = taskOf(io, state, config, async (signal) => {
    exit = await runToTheEnd(io, options, { json, log, logFile, onEvent, gate, signal });
  });
  await withStatusServer(io, config, state, () => board.run(task, io.signal));
  return exit;
}
