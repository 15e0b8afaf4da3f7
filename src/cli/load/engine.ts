import { mkdirSync } from "node:fs";
import { systemFiles } from "../../base/mod.ts";
import { loadConfig } from "../../config/mod.ts";
import { runImport, systemWorld } from "../../importer/mod.ts";
import type { LoadEngine } from "../../load/mod.ts";
import { importOptions } from "../import-options.ts";
import type { CommandIo } from "../io.ts";

/** levin's importer as the engine of load units. */
export function importEngine(io: CommandIo): LoadEngine {
  return async ({ config, fresh, sharedIndex, signal, emit }) => {
    const loaded = loadConfig({ file: { path: "the task", table: config } });
    const options = importOptions(io, loaded, undefined, fresh);
    mkdirSync(options.stateDir, { recursive: true });
    const shared = sharedIndex === undefined ? {} : { parallelIndex: sharedIndex };
    const { conflicts = 0, ...result } = await runImport(
      { ...options, ...shared },
      {
        clock: io.clock,
        random: io.random,
        files: systemFiles,
        emit,
        signal,
        pid: io.pid,
        world: systemWorld(io.clock, io.encodeWorker),
      },
    );
    return { ...result, duplicates: conflicts };
  };
}
