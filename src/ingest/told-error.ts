/** Errors as data, for the way from one thread to another: a structured clone keeps neither their class nor their own fields. */
import { AssertionError, type ErrorCode, type ErrorFields, errorCodes, LevinError } from "../base/mod.ts";
import { PeerFailure } from "./write-region.ts";

/** Of a system's error, which tells of itself by them. */
const SYSTEM_FIELDS = ["code", "syscall", "path", "address", "port", "errno"] as const;
/** Causes of causes beyond that are left out. */
const DEPTH_MAX = 6;

export interface ToldError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a LevinError. */
  readonly levin?: { readonly code: ErrorCode; readonly fields: ErrorFields };
  /** Of a PeerFailure. */
  readonly storeId?: bigint;
  readonly system?: Readonly<Record<string, string | number>>;
  readonly cause?: ToldError;
}

export function tellError(thrown: unknown, depth = 0): ToldError {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown), stack: undefined };
  const system: Record<string, string | number> = {};
  for (const field of SYSTEM_FIELDS) {
    const value = (thrown as unknown as Record<string, unknown>)[field];
    if (typeof value === "string" || typeof value === "number") system[field] = value;
  }
  const hasCause = thrown.cause !== undefined && depth < DEPTH_MAX;
  return {
    name: thrown.name,
    message: thrown.message,
    stack: thrown.stack,
    ...(thrown instanceof LevinError
      ? { levin: { code: thrown.code, fields: { ...thrown.fields } } }
      : Object.keys(system).length > 0
        ? { system }
        : {}),
    ...(thrown instanceof PeerFailure ? { storeId: thrown.storeId } : {}),
    ...(hasCause ? { cause: tellError(thrown.cause, depth + 1) } : {}),
  };
}

/** The error that was told of, with the stack of where it was thrown. */
export function toldError(told: ToldError): Error {
  const cause = told.cause && toldError(told.cause);
  const error = bare(told, cause);
  if (told.stack !== undefined) error.stack = told.stack;
  return error;
}

function bare({ name, message, levin, storeId, system }: ToldError, cause: Error | undefined): Error {
  if (storeId !== undefined) return new PeerFailure(storeId, cause);
  if (levin !== undefined && Object.hasOwn(errorCodes, levin.code)) {
    return new LevinError(levin.code, message, { cause, fields: levin.fields });
  }
  if (name === "AssertionError") return new AssertionError(message);
  const error = new Error(message, cause === undefined ? undefined : { cause });
  if (name !== "Error") Object.defineProperty(error, "name", { value: name, configurable: true });
  return Object.assign(error, system);
}
