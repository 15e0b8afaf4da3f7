import {
  type BackupRange,
  type BrCipher,
  backupItemLine,
  isEncrypting,
  type LoadReport,
  type LogItem,
  logItemLine,
  parseCipher,
  type RestoreItem,
  readBackupGroup,
  readFileRestoreGroup,
  readLogGroup,
  readRestoreGroup,
  restoreItemLine,
  walkItems,
} from "../br/mod.ts";
import type { CheckpointTarget } from "./checkpoint-target.ts";

/** What to do with the items of each kind. */
export interface ItemVisitor {
  backup(key: string, range: BackupRange | null): void | Promise<void>;
  restore(tableId: bigint, item: RestoreItem): void | Promise<void>;
  log(key: string, item: LogItem): void | Promise<void>;
}

export function cipherFlag(text: string | undefined): BrCipher | undefined {
  return text === undefined ? undefined : parseCipher(text);
}

/** Reads all items of a checkpoint; throws Levin:Br:ErrCipher at the end where the key was wrong. */
export async function visitItems(
  target: CheckpointTarget,
  cipher: BrCipher | undefined,
  report: LoadReport,
  signal: AbortSignal,
  visitor: ItemVisitor,
): Promise<void> {
  // Tables are never encrypted.
  const options = { cipher: target.files === undefined ? undefined : cipher, report, signal };
  if (target.kind === "backup") await walkItems(target.home, readBackupGroup, options, visitor.backup);
  else if (target.kind === "log") await walkItems(target.home, readLogGroup, options, visitor.log);
  else {
    const read = target.olderItems ? readFileRestoreGroup : readRestoreGroup;
    await walkItems(target.home, read, options, visitor.restore);
  }
  const wrong = report.wrongKey(isEncrypting(options.cipher));
  if (wrong !== undefined) throw wrong;
}

/** Each item as the object that `export` prints. */
export function lineVisitor(give: (line: object) => void | Promise<void>): ItemVisitor {
  return {
    backup: (key, range) => give(backupItemLine(key, range)),
    restore: (tableId, item) => give(restoreItemLine(tableId, item)),
    log: (key, item) => give(logItemLine(key, item)),
  };
}

/** JSON in one line for every reader: what some of them take for the end of a line is escaped. */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(
    /[\u0085\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** What was left out, for people; a line each, and how many more. */
export function damageLines(report: LoadReport): string[] {
  const lines = report.damages.slice(0, 20).map(({ kind, where, detail }) => `damaged (${kind}): ${where}: ${detail}`);
  if (report.damageCount > lines.length) lines.push(`and ${report.damageCount - lines.length} more`);
  return lines;
}
