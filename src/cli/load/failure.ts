import { type ErrorCode, LevinError } from "../../base/mod.ts";
import { type DmError, dmCodes } from "../../load/mod.ts";

const CLASSES: Record<number, ErrorCode> = {
  [dmCodes.ParseMydumperMeta.code]: "Levin:Load:ErrMetadata",
  [dmCodes.LoadTaskWorkerNotMatch.code]: "Levin:Load:ErrMetadata",
  [dmCodes.LoadLightningHasDup.code]: "Levin:Load:ErrDuplicates",
  [dmCodes.LoadLightningChecksum.code]: "Levin:Load:ErrChecksum",
  [dmCodes.HAFailTxnOperation.code]: "Levin:Load:ErrCoordination",
  [dmCodes.HAInvalidItem.code]: "Levin:Load:ErrCoordination",
};

/** What ends a command for DM's error: the class by which scripts decide, with DM's text; an import's own error stays itself. */
export function failureOf(error: DmError, task: string): LevinError {
  const { code, errClass } = error.kind;
  const known = CLASSES[code];
  if (known === undefined && error.origin instanceof LevinError) return error.origin;
  const name = known ?? (errClass === "config" ? "Levin:Load:ErrConfig" : "Levin:Load:ErrFailed");
  return new LevinError(name, `Cannot load ${task}: ${error.message}`, { cause: error, fields: { dmCode: code } });
}
