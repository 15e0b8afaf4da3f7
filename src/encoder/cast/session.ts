import { type JsonDoubles, TimeZone } from "../../codec/mod.ts";
import { isStrict, parseSqlMode } from "../../schema/mod.ts";
import { CastError, type Fault, isForgivable } from "./fault.ts";

export interface CastOptions {
  /** Comma-separated names as in `sql_mode`; unknown ones are left to others. */
  readonly sqlMode: string;
  /** IANA name or `+hh:mm`; `SYSTEM` has to be resolved by the caller. RangeError if unknown. */
  readonly timeZone: string;
  /** TiDB's `system_time_zone`, which old TIMESTAMP defaults are written in; the session's zone if left out. */
  readonly systemTimeZone?: string;
  /** `new_collation_enabled` of the cluster. */
  readonly newCollations: boolean;
  /** The statement's time in milliseconds since the epoch: CURRENT_TIMESTAMP, and the date of a TIME made a DATETIME. */
  readonly nowMs: number;
  /** How JSON becomes text; `point` where absent. */
  readonly jsonDoubles?: JsonDoubles;
  /** Called for each warning with MySQL's error number. */
  readonly warn: (code: number, message: string) => void;
}

function findZone(name: string): TimeZone {
  const zone = TimeZone.find(name);
  if (zone === undefined) throw new RangeError(`unknown time zone "${name}"`);
  return zone;
}

/**
 * What conversions depend on: the SQL mode, the time zone and where warnings go. One for each encoder, reused for all rows.
 *
 * Functions of this folder that take a session and can fail return the nearest value and leave the failure in `fault`; who starts
 * a conversion clears it and afterwards settles it by the mode.
 */
export class CastSession {
  readonly strict: boolean;
  readonly noZeroDate: boolean;
  readonly noZeroInDate: boolean;
  readonly allowInvalidDates: boolean;
  readonly errorForDivisionByZero: boolean;
  /** Whether dates with a zero month or day pass the parser (the column's mode is looked at afterwards). */
  readonly allowZeroInDate: boolean;
  readonly zone: TimeZone;
  readonly systemZone: TimeZone;
  readonly newCollations: boolean;
  readonly nowMs: number;
  readonly jsonDoubles: JsonDoubles;
  readonly warn: (code: number, message: string) => void;
  fault: Fault | null = null;

  constructor(options: CastOptions) {
    const mode = parseSqlMode(options.sqlMode);
    this.strict = isStrict(mode);
    this.noZeroDate = mode.has("NO_ZERO_DATE");
    this.noZeroInDate = mode.has("NO_ZERO_IN_DATE");
    this.allowInvalidDates = mode.has("ALLOW_INVALID_DATES");
    this.errorForDivisionByZero = mode.has("ERROR_FOR_DIVISION_BY_ZERO");
    // TiDB pkg/lightning/backend/kv/context.go, newLitExprContext.
    this.allowZeroInDate = !this.strict || this.allowInvalidDates || !this.noZeroInDate || !this.noZeroDate;
    this.zone = findZone(options.timeZone);
    this.systemZone = findZone(options.systemTimeZone ?? options.timeZone);
    this.newCollations = options.newCollations;
    this.nowMs = options.nowMs;
    this.jsonDoubles = options.jsonDoubles ?? "point";
    this.warn = options.warn;
  }

  /** The same session but for some settings, with its own pending failure. */
  with(changes: Partial<Omit<CastSession, "fault">>): CastSession {
    const other: CastSession = Object.create(CastSession.prototype);
    return Object.assign(other, this, changes, { fault: null });
  }

  /** Keeps the failure unless there is an earlier one. */
  raise(fault: Fault | null): void {
    this.fault ??= fault;
  }

  /** The pending failure, which is no longer pending. */
  take(): Fault | null {
    const fault = this.fault;
    this.fault = null;
    return fault;
  }

  /** Warns of the failure and returns null where the mode forgives it, else returns it. */
  forgive(fault: Fault | null): Fault | null {
    if (fault === null || this.strict || !isForgivable(fault.code)) return fault;
    this.warn(fault.code, fault.message);
    return null;
  }

  /** Ends a conversion: a pending failure becomes a warning, or is thrown as CastError. */
  settle(): void {
    const fault = this.forgive(this.take());
    if (fault !== null) throw new CastError(fault.code, fault.message);
  }
}
