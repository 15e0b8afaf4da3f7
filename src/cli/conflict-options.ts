import { LevinError } from "../base/mod.ts";
import type { LoadedConfig } from "../config/mod.ts";
import type { ConflictOptions } from "../importer/mod.ts";

/** What `threshold = -1` means where conflicts are resolved. */
const THRESHOLD = 10_000;

type Strategy = ConflictOptions["strategy"];

/** Old values: those of `duplicate-resolution` (5.3 to 7.2) and of `on-duplicate`. */
const SPELLINGS: Readonly<Record<string, Strategy>> = {
  "": "",
  none: "",
  error: "error",
  replace: "replace",
  ignore: "ignore",
  remove: "replace",
  record: "replace",
};

function spelled(config: LoadedConfig, path: string): Strategy {
  const given = String(config.get(path)).toLowerCase();
  const strategy = SPELLINGS[given];
  if (strategy !== undefined) return strategy;
  throw new LevinError(
    "Levin:Config:ErrInvalid",
    `Cannot use ${path} = "${config.get(path)}" (${config.origin(path)}): it must be one of none, error, replace, ignore, remove, record`,
  );
}

/**
 * `[conflict]`, and its older spellings: `tikv-importer.duplicate-resolution` counts for the local backend, `tikv-importer.on-duplicate`
 * for the tidb backend, and neither beside a `conflict.strategy` that says otherwise.
 */
export function conflictOptions(config: LoadedConfig, backend: "local" | "tidb", intoRows: boolean): ConflictOptions {
  const old = { local: "tikv-importer.duplicate-resolution", tidb: "tikv-importer.on-duplicate" } as const;
  const [mine, other] = backend === "local" ? [old.local, old.tidb] : [old.tidb, old.local];
  const fromOld = spelled(config, mine);
  if (spelled(config, other) !== "" && fromOld !== "") {
    const message =
      "Cannot use tikv-importer.on-duplicate together with tikv-importer.duplicate-resolution: say conflict.strategy";
    throw new LevinError("Levin:Config:ErrInvalid", message);
  }
  const given = String(config.get("conflict.strategy")).toLowerCase() as Strategy;
  if (config.isSet("conflict.strategy") && fromOld !== "" && fromOld !== given) {
    const message = `Cannot use ${mine} = "${config.get(mine)}" together with conflict.strategy = "${given}": they contradict each other`;
    throw new LevinError("Levin:Config:ErrInvalid", message);
  }
  let strategy = given === "" ? fromOld : given;
  const precheck = config.get("conflict.precheck-conflict-before-import") as boolean;
  // Conflicts that are looked for without a word on what to do about them are errors.
  if (strategy === "" && (precheck || (intoRows && backend === "local"))) strategy = "error";
  const number = (path: string, otherwise: number): number => {
    const value = config.get(path) as number;
    return value < 0 ? otherwise : value;
  };
  const threshold = number("conflict.threshold", strategy === "replace" || strategy === "ignore" ? THRESHOLD : 0);
  return {
    strategy,
    threshold,
    // An error names at least the first two rows.
    maxRecordRows:
      strategy === "error"
        ? Math.max(1, number("conflict.max-record-rows", THRESHOLD))
        : Math.min(number("conflict.max-record-rows", threshold), threshold),
    taskInfoSchema: config.get("lightning.task-info-schema-name") as string,
  };
}
