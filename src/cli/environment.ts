import { availableParallelism } from "node:os";
import { type EventSink, systemFiles } from "../base/mod.ts";
import { type ImportEnvironment, systemWorld } from "../importer/mod.ts";
import type { CommandIo } from "./io.ts";

/** What an import needs of the outside: the command's own, and the real files, servers and workers. */
export function importEnvironment(
  io: CommandIo,
  emit: EventSink,
  more: Pick<Partial<ImportEnvironment>, "signal" | "gate"> = {},
): ImportEnvironment {
  const { clock, random, signal, pid, encodeWorker, writeWorker } = io;
  const world = systemWorld(clock, encodeWorker, writeWorker);
  return { clock, random, signal, pid, cores: availableParallelism(), emit, files: systemFiles, world, ...more };
}
