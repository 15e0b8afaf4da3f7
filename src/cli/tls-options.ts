import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { LevinError, systemWords } from "../base/mod.ts";
import type { LoadedConfig } from "../config/mod.ts";
import type { ClusterTls } from "../importer/mod.ts";
import type { TidbTls } from "../tidb/mod.ts";

interface Material {
  ca?: string;
  cert?: string;
  key?: string;
}

/** `ca`, `cert` and `key` of a section, from their bytes or files, with how to read them again; undefined when there is none. */
function materialOf(config: LoadedConfig, section: string): (Material & { current: () => Material }) | undefined {
  const read = (): Material => {
    const out: Material = {};
    for (const name of ["ca", "cert", "key"] as const) {
      const bytes = config.get(`${section}.${name}-bytes`) as string;
      const path = config.get(`${section}.${name}-path`) as string;
      if (bytes !== "") out[name] = bytes;
      else if (path !== "") out[name] = readPem(path, `${section}.${name}-path`);
    }
    return out;
  };
  const first = read();
  checkMaterial(first, (name) => {
    if ((config.get(`${section}.${name}-bytes`) as string) !== "") return `${section}.${name}-bytes`;
    const path = config.get(`${section}.${name}-path`) as string;
    return path === "" ? `${section}.${name}-path` : `${section}.${name}-path "${path}"`;
  });
  return Object.keys(first).length === 0 ? undefined : { ...first, current: currentOf(first, read) };
}

/** What would otherwise be told as a server's refusal, in the words of the TLS library. `keyOf` gives the key of the configuration. */
function checkMaterial({ ca, cert, key }: Material, keyOf: (name: keyof Material) => string): void {
  const invalid = (message: string) => new LevinError("Levin:Config:ErrInvalid", message);
  const parse = <T>(name: keyof Material, what: string, run: () => T): T => {
    try {
      return run();
    } catch {
      throw invalid(`${keyOf(name)} is no ${what} in PEM form`);
    }
  };
  if (ca !== undefined) parse("ca", "certificate", () => new X509Certificate(ca));
  const certificate = cert === undefined ? undefined : parse("cert", "certificate", () => new X509Certificate(cert));
  const privateKey =
    key === undefined ? undefined : parse("key", "private key without a passphrase", () => createPrivateKey(key));
  if (certificate === undefined && privateKey === undefined) return;
  if (privateKey === undefined)
    throw invalid(`${keyOf("cert")} is set without ${keyOf("key")}: a client certificate needs its key`);
  if (certificate === undefined)
    throw invalid(`${keyOf("key")} is set without ${keyOf("cert")}: a key needs its client certificate`);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw invalid(`the key of ${keyOf("key")} does not belong to the certificate of ${keyOf("cert")}`);
  }
}

/** The newest material that fits together: while files are being replaced the former one is used. */
export function currentOf(first: Material, read: () => Material): () => Material {
  let good = first;
  return () => {
    try {
      const found = read();
      if (isWhole(found)) good = found;
    } catch {
      // A file is missing for a moment.
    }
    return good;
  };
}

function isWhole({ ca, cert, key }: Material): boolean {
  if (ca !== undefined) new X509Certificate(ca);
  if (cert === undefined || key === undefined) return cert === key;
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}

function readPem(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const message = `Cannot read ${what} "${path}": ${systemWords(cause)}`;
    throw new LevinError("Levin:Config:ErrUnreadable", message, { cause, fields: { file: path } });
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
  const { ca, cert, key, current } = materialOf(config, "tidb.security") ?? cluster ?? {};
  const material = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(current && { current }) };
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
