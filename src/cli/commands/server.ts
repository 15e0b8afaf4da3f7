import { existsSync } from "node:fs";
import { command } from "cmd-ts";
import { LevinError } from "../../base/mod.ts";
import { type LoadedConfig, loadConfig } from "../../config/mod.ts";
import type { LogLevel, ServerState } from "../../server/mod.ts";
import { configArgument, flagArguments, givenFlags } from "../import-flags.ts";
import { importOptions, loadImportConfig } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { runToTheEnd } from "../run-to-the-end.ts";
import { serverState, taskOf, withStatusServer } from "../status-server.ts";

/** Port that Lightning's documentation uses. */
const DEFAULT_ADDRESS = "127.0.0.1:8289";

/** `levin server`: takes imports over HTTP and runs them one after the other. */
export const serverCommand = (io: CommandIo) =>
  command({
    name: "server",
    description: "Take import tasks over HTTP (POST /tasks with a TOML file) and run them one after the other.",
    args: {
      config: configArgument("TOML file that stands below each task's own"),
      ...flagArguments(),
    },
    handler: (args) => runServer(io, loadImportConfig(io, args.config, givenFlags(args), false)),
  });

/** Serves until the signal; always 0, as each task has a result of its own. */
export async function runServer(io: CommandIo, given: LoadedConfig): Promise<number> {
  const isOpen = given.isSet("lightning.status-addr") || given.isSet("lightning.pprof-port");
  const config = isOpen
    ? given
    : loadConfig({ base: given, flags: new Map([["lightning.status-addr", DEFAULT_ADDRESS]]) });
  const base = serverState(io, config.get("lightning.level") as LogLevel);
  const state: ServerState = { ...base, makeTask: (toml) => taskFrom(io, config, base, toml) };
  await withStatusServer(io, config, state, () =>
    state.board.serve(io.signal, (task, thrown) => {
      const { code, message } = LevinError.from(thrown);
      io.stderr.write(`task ${task.id}: ${message} (${code})\n`);
    }),
  );
  return 0;
}

function taskFrom(io: CommandIo, base: LoadedConfig, state: Omit<ServerState, "makeTask">, toml: string) {
  const config = loadConfig({ base, file: { path: "the task", text: toml } });
  const options = importOptions(io, config, undefined, false);
  // As Lightning: a task whose source is not there is refused, not queued.
  if (options.bucket === undefined && !existsSync(options.sourceDir)) {
    const message = `Cannot import "${options.sourceDir}": mydumper.data-source-dir does not exist`;
    throw new LevinError("Levin:Source:ErrUnreadable", message, { fields: { file: options.sourceDir } });
  }
  return taskOf(io, state, config, async (signal, id) => {
    io.stderr.write(`task ${id}: ${options.sourceDir}\n`);
    const onEvent = state.monitor.note.bind(state.monitor);
    // The server's own: who may send tasks may not name files to write.
    const logFile = base.get("lightning.file") as string;
    await runToTheEnd(io, options, { json: false, log: state.log, logFile, onEvent, gate: state.gate, signal });
  });
}
