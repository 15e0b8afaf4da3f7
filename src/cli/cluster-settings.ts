import { LevinError } from "../base/mod.ts";
import type { LoadedConfig } from "../config/mod.ts";
import type { ClusterSettings } from "../importer/mod.ts";

/** As Lightning sets them on its sessions. */
export function analyzeVariables(config: LoadedConfig): Record<string, string | number> {
  const out: Record<string, string | number> = {};
  for (const name of ["build-stats-concurrency", "index-serial-scan-concurrency"] as const) {
    const path = `tidb.${name}` as const;
    if (config.isSet(path)) out[`tidb_${name.replaceAll("-", "_")}`] = config.get(path) as number;
  }
  return out;
}

/** Throws `Levin:Config:ErrInvalid` for what only several processes could do. */
export function clusterSettings(config: LoadedConfig): ClusterSettings {
  if (config.get("tikv-importer.parallel-import") === true) {
    const message = `Cannot use tikv-importer.parallel-import = true (${config.origin("tikv-importer.parallel-import")}): levin imports into a table from one process; take all files into one import, or import the parts one after the other with tikv-importer.incremental-import = true`;
    throw new LevinError("Levin:Config:ErrInvalid", message);
  }
  const number = (path: string): number => config.get(path) as number;
  const storeBytesPerSecond = number("tikv-importer.store-write-bwlimit");
  const isWhole = config.get("post-restore.compact") === true;
  return {
    pauseScope: config.get("tikv-importer.pause-pd-scheduler-scope") as "table" | "global",
    splitKeysMax: number("tikv-importer.region-split-batch-size"),
    ...(storeBytesPerSecond === 0 ? {} : { storeBytesPerSecond }),
    ...(config.isSet("tidb.distsql-scan-concurrency")
      ? { checksumRequests: number("tidb.distsql-scan-concurrency") }
      : {}),
    ...(isWhole || config.get("post-restore.level-1-compact") === true ? { compactLevel: isWhole ? -1 : 1 } : {}),
  };
}
