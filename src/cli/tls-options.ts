import { readFileSync } from "node:fs";
import { LevinError } from "../base/mod.ts";
import type { LoadedConfig } from "../config/mod.ts";
import type { ClusterTls } from "../importer/mod.ts";
import type { TidbTls } from "../tidb/mod.ts";

/** `ca`, `cert` and `key` of a section, from their bytes or files; undefined when there is none. */
function materialOf(config: LoadedConfig, section: string): Pick<ClusterTls, "ca" | "cert" | "key"> | undefined {
  const out: { ca?: string; cert?: string; key?: string } = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const bytes = config.get(`${section}.${name}-bytes`) as string;
    const path = config.get(`${section}.${name}-path`) as string;
    if (bytes !== "") out[name] = bytes;
    else if (path !== "") out[name] = readPem(path, `${section}.${name}-path`);
  }
  return Object.keys(out).length === 0 ? undefined : out;
}

function readPem(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const message = `Cannot read ${what} "${path}": ${(cause as Error).message}`;
    throw new LevinError("Levin:Config:ErrInvalid", message, { cause });
  }
}

/** `[security]`: towards PD, TiKV and TiDB's status port. */
export function clusterTls(config: LoadedConfig): ClusterTls | undefined {
  const material = materialOf(config, "security");
  const certAllowedCn = config.get("security.cert-allowed-cn") as string[];
  return material === undefined ? undefined : { ...material, ...(certAllowedCn.length === 0 ? {} : { certAllowedCn }) };
}

/**
 * `tidb.tls` and `[tidb.security]`, which stands for `[security]` where it is not given. Unset: `cluster` where there is an authority
 * to trust, else plain, as Lightning has it.
 */
export function tidbTls(config: LoadedConfig, cluster: ClusterTls | undefined): TidbTls | undefined {
  const { ca, cert, key } = materialOf(config, "tidb.security") ?? cluster ?? {};
  const material = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const mode = config.isSet("tidb.tls") ? (config.get("tidb.tls") as string) : ca === undefined ? "false" : "cluster";
  switch (mode) {
    case "":
    case "false":
      return undefined;
    case "skip-verify":
      return { ...material, verify: false };
    case "preferred":
      return { ...material, verify: false, optional: true };
    default:
      return { ...material, verify: true };
  }
}
