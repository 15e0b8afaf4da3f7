import { PauseGate } from "../base/mod.ts";
import { type LoadedConfig, publicConfig } from "../config/mod.ts";
import {
  type ListenOptions,
  type LogLevel,
  listen,
  Metrics,
  RunMonitor,
  type ServerState,
  type Task,
  TaskBoard,
} from "../server/mod.ts";
import type { CommandIo } from "./io.ts";
import { clusterTls } from "./tls-options.ts";

/** Monitor, board, gate and log level of one process. */
export function serverState(io: CommandIo, level: LogLevel): Omit<ServerState, "makeTask"> {
  const startSeconds = io.clock.nowMs() / 1000 - process.uptime();
  const metrics = new Metrics(() => {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss(), startSeconds };
  });
  const monitor = new RunMonitor(metrics);
  const gate = new PauseGate();
  return { monitor, gate, board: new TaskBoard(monitor, gate), log: { level } };
}

/** Where to listen; undefined: `status-addr` is not set. */
function listenOptions(config: LoadedConfig): ListenOptions | undefined {
  const port = config.get("lightning.pprof-port") as number;
  const address = (config.get("lightning.status-addr") as string) || (port > 0 ? `:${port}` : "");
  if (address === "") return undefined;
  const { ca, cert, key } = clusterTls(config) ?? {};
  const tls =
    cert === undefined || key === undefined ? {} : { tls: { cert, key, ...(ca === undefined ? {} : { ca }) } };
  return { address, token: config.get("levin.status-token") as string, ...tls };
}

/** Runs `use` while the HTTP API is up, or just runs it where no address is set. */
export async function withStatusServer<T>(
  io: CommandIo,
  config: LoadedConfig,
  state: ServerState,
  use: () => Promise<T>,
): Promise<T> {
  const options = listenOptions(config);
  if (options === undefined) return use();
  const server = await listen(state, options);
  io.stderr.write(`HTTP server on ${server.url}\n`);
  if (server.onlyLoopback)
    io.stderr.write(
      `note: "${options.address}" is open to loopback only: to listen elsewhere set LEVIN_STATUS_TOKEN, or [security] with ca, cert and key\n`,
    );
  try {
    return await use();
  } finally {
    await server.close();
  }
}

/** A task of the board with its configuration as JSON. */
export function taskOf(
  io: CommandIo,
  state: Pick<ServerState, "board">,
  config: LoadedConfig,
  run: (signal: AbortSignal, id: number) => Promise<void>,
): Task {
  const id = state.board.nextId(io.clock.nowMs());
  return { id, config: { "task-id": id, ...publicConfig(config) }, run: (signal) => run(signal, id) };
}
