/** The fingerprint of a backup's settings: sha256 of BR's JSON of them. Restore has none. */
import { utf8 } from "../base/mod.ts";
import { type BrCipher, cipherMethods } from "./cipher.ts";
import { sha256 } from "./documents.ts";
import { quoteBytes, quoteGo } from "./json-text.ts";

/** Options of the three object stores in the order in which they are hashed; false marks a flag. */
const STORES = {
  s3: {
    endpoint: "",
    region: "",
    "storage-class": "",
    sse: "",
    "sse-kms-key-id": "",
    acl: "",
    "access-key": "",
    "secret-access-key": "",
    "session-token": "",
    provider: "",
    "force-path-style": false,
    "use-accelerate-endpoint": false,
    "role-arn": "",
    "external-id": "",
    "object-lock-enabled": false,
  },
  gcs: { endpoint: "", "storage-class": "", "predefined-acl": "", "credentials-file": "" },
  azblob: {
    endpoint: "",
    "account-name": "",
    "account-key": "",
    "access-tier": "",
    "sas-token": "",
    "encryption-scope": "",
    "encryption-key": "",
  },
} as const;

type StoreOptions = Readonly<Record<string, string | boolean>>;

export interface BackupConfig {
  lastBackupTs: bigint;
  ignoreStats: boolean;
  useCheckpoint: boolean;
  /** Options that are not given count as empty. */
  s3?: StoreOptions;
  gcs?: StoreOptions;
  azblob?: StoreOptions;
  storage: string;
  pd: readonly string[] | null;
  sendCredentialsToTikv: boolean;
  noCredentials: boolean;
  filterStrings: readonly string[] | null;
  /** Undefined: not set at all, which is not the same as PLAINTEXT here. */
  cipher?: BrCipher | undefined;
  keyspaceName: string;
}

function printStore(defaults: StoreOptions, given: StoreOptions = {}): string {
  const parts = Object.entries(defaults).map(([name, empty]) => {
    const value = given[name] ?? empty;
    return `"${name}":${typeof value === "string" ? quoteGo(value) : value}`;
  });
  return `{${parts.join(",")}}`;
}

const printList = (texts: readonly string[] | null): string =>
  texts === null ? "null" : `[${texts.map(quoteGo).join(",")}]`;

function printCipher(cipher: BrCipher | undefined): string {
  const parts: string[] = [];
  const type = cipher === undefined ? 0 : cipherMethods.indexOf(cipher.method);
  if (type > 0) parts.push(`"cipher_type":${type}`);
  if (cipher !== undefined && cipher.key.length > 0) parts.push(`"cipher_key":${quoteBytes(cipher.key)}`);
  return `{${parts.join(",")}}`;
}

/** The text that is hashed. It holds credentials and the order of PD addresses, which is why a resume needs the same of both. */
export function backupConfigText(config: BackupConfig): string {
  return [
    `{"last-backup-ts":${config.lastBackupTs}`,
    `"ignore-stats":${config.ignoreStats}`,
    `"use-checkpoint":${config.useCheckpoint}`,
    `"s3":${printStore(STORES.s3, config.s3)}`,
    `"gcs":${printStore(STORES.gcs, config.gcs)}`,
    `"azblob":${printStore(STORES.azblob, config.azblob)}`,
    `"storage":${quoteGo(config.storage)}`,
    `"pd":${printList(config.pd)}`,
    `"send-credentials-to-tikv":${config.sendCredentialsToTikv}`,
    `"no-credentials":${config.noCredentials}`,
    `"filter-strings":${printList(config.filterStrings)}`,
    `"cipher":${printCipher(config.cipher)}`,
    `"keyspace-name":${quoteGo(config.keyspaceName)}}`,
  ].join(",");
}

export function backupConfigHash(config: BackupConfig): Uint8Array {
  return sha256(utf8(backupConfigText(config)));
}
