import { mkdirSync } from "node:fs";
import os from "node:os";
import type { PauseGate } from "../../base/mod.ts";
import { loadConfig } from "../../config/mod.ts";
import { runImport } from "../../importer/mod.ts";
import type { LoadEngine } from "../../load/mod.ts";
import { importEnvironment } from "../environment.ts";
import { importOptions } from "../import-options.ts";
import type { CommandIo } from "../io.ts";

/** levin's importer as the engine of load units. */
export function importEngine(io: CommandIo, gate?: PauseGate): LoadEngine {
  return async ({ config, fresh, sharedIndex, owner, signal, emit }) => {
    const loaded = loadConfig({ file: { path: "the task", table: config } });
    const given = importOptions(io, loaded, undefined, fresh);
    // DM's pool-size counts goroutines; encode workers are threads, of which more than there are cores only take memory.
    const workers =
      given.backend === "tidb" ? given.workers : Math.min(given.workers, Math.max(1, os.availableParallelism()));
    const logical = given.logical === undefined ? {} : { logical: { ...given.logical, owner } };
    const options = { ...given, workers, ...logical };
    mkdirSync(options.stateDir, { recursive: true });
    const shared = sharedIndex === undefined ? {} : { parallelIndex: sharedIndex };
    const { conflicts = 0, ...result } = await runImport(
      { ...options, ...shared },
      importEnvironment(io, emit, { signal, ...(gate === undefined ? {} : { gate }) }),
    );
    return { ...result, duplicates: conflicts };
  };
}
