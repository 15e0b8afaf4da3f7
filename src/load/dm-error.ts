import { LevinError } from "../base/mod.ts";
import { type DmCode, type DmCodeName, dmCodes } from "./dm-codes.ts";

/** A failure in DM's JSON and protobuf form (`pb.ProcessError`). */
export interface ProcessError {
  ErrCode: number;
  ErrClass: string;
  ErrScope: string;
  ErrLevel: string;
  Message: string;
  RawCause: string;
  Workaround: string;
}

/** One of DM's errors: what the unit's callers see, with DM's code, class, scope and level. `cause` is what lay below. */
export class DmError extends Error {
  override readonly name = "DmError";
  readonly kind: DmCode;
  readonly scope: DmCode["scope"];
  /** The message alone, without code and cause. */
  readonly text: string;
  /** What was thrown where this error was made of it; its text is this error's own. */
  readonly origin: unknown;

  constructor(
    kind: DmCode,
    text: string,
    options: { cause?: unknown; scope?: DmCode["scope"]; origin?: unknown } = {},
  ) {
    super("", options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.scope = options.scope ?? kind.scope;
    this.text = text;
    this.origin = options.origin ?? options.cause;
    this.message = errorText(this);
  }

  /** The text of what lay below; empty when there is nothing. */
  get rawCause(): string {
    if (this.cause === undefined) return "";
    return this.cause instanceof DmError ? this.cause.rawCause || this.cause.text : causeText(this.cause);
  }
}

/** With the code of a LevinError, so that nothing is lost on the way to DM's form. */
function causeText(cause: unknown): string {
  if (cause instanceof LevinError) return `${cause.message} (${cause.code})`;
  return cause instanceof Error ? cause.message : String(cause);
}

/** `[code=34019:class=load-unit:scope=internal:level=high], Message: …, RawCause: …, Workaround: …`; empty parts are left out. */
function errorText(error: DmError): string {
  const { code, errClass, level, workaround } = error.kind;
  const parts = [`[code=${code}:class=${errClass}:scope=${error.scope}:level=${level}]`];
  if (error.text !== "") parts.push(`Message: ${error.text}`);
  if (error.rawCause !== "") parts.push(`RawCause: ${error.rawCause}`);
  if (workaround !== "") parts.push(`Workaround: ${workaround}`);
  return parts.join(", ");
}

/** An error of DM's list, its message filled in order with `args`. */
export function dmError(name: DmCodeName, args: readonly (string | number)[] = [], cause?: unknown): DmError {
  const kind: DmCode = dmCodes[name];
  let next = 0;
  const text = kind.message.replace(/%[sd]/g, () => String(args[next++] ?? ""));
  return new DmError(kind, text, cause === undefined ? {} : { cause });
}

/** A failure of the downstream database, named by what was being done, in DM's words. */
export function downstreamError(annotation: string, cause: unknown): DmError {
  if (cause instanceof DmError) return cause;
  return new DmError(dmCodes.NotSet, annotation, { cause, scope: "downstream" });
}

/** Whatever was thrown as one of DM's errors; a stranger gets the code of the not-set class and keeps its text. */
export function toDmError(thrown: unknown): DmError {
  if (thrown instanceof DmError) return thrown;
  return new DmError(dmCodes.NotSet, causeText(thrown), { origin: thrown });
}

export function processError(thrown: unknown): ProcessError {
  const error = toDmError(thrown);
  return {
    ErrCode: error.kind.code,
    ErrClass: error.kind.errClass,
    ErrScope: error.scope,
    ErrLevel: error.kind.level,
    Message: error.text,
    RawCause: error.rawCause,
    Workaround: error.kind.workaround,
  };
}
