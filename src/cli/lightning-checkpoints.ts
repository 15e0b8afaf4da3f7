import { resolve } from "node:path";
import { LevinError } from "../base/mod.ts";
import type { LoadedConfig } from "../config/mod.ts";
import type { CheckpointOptions } from "../importer/mod.ts";
import type { TidbOptions } from "../tidb/mod.ts";
import { parseDsn } from "./dsn.ts";

/** `[checkpoint]`: undefined where it asks for none of Lightning's own checkpoints. */
export function checkpointOptions(
  config: LoadedConfig,
  target: TidbOptions,
  fresh: boolean,
): CheckpointOptions | undefined {
  const driver = config.get("checkpoint.driver") as string;
  if (driver === "" || config.get("checkpoint.enable") === false) return undefined;
  const schema = config.get("checkpoint.schema") as string;
  const dsn = config.get("checkpoint.dsn") as string;
  const keepAfterSuccess = keepOf(config.get("checkpoint.keep-after-success"));
  if (driver === "file") {
    const path = resolve(dsn === "" ? `/tmp/${schema}.pb` : dsn.replace(/^(file|local):\/\//, ""));
    return { home: { driver: "file", path }, keepAfterSuccess, fresh };
  }
  const { sessionVariables: _, ...connection } = target;
  const tidb = { ...connection, ...(dsn === "" ? {} : parseDsn(dsn)), connectionsMax: 1 };
  return { home: { driver: "mysql", schema, tidb }, keepAfterSuccess, fresh };
}

/** Older files have true (keep, renamed) and false. */
function keepOf(value: unknown): CheckpointOptions["keepAfterSuccess"] {
  if (value === true) return "rename";
  if (value === false) return "remove";
  if (value === "remove" || value === "rename" || value === "origin") return value;
  throw new LevinError(
    "Levin:Config:ErrInvalid",
    `Cannot use checkpoint.keep-after-success = ${JSON.stringify(value)}: it must be remove, rename or origin`,
  );
}
