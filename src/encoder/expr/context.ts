/** What an expression depends on beside its row: session, table, and where warnings go. */
import { LevinError } from "../../base/mod.ts";
import type { SqlMode, TableInfo } from "../../schema/mod.ts";
import { CastError, type CastSession, type Fault, truncatedWrongValue, wrongValue } from "../cast/mod.ts";

const DIVISION_BY_ZERO = 1365;

/** TiDB's `max_allowed_packet`: functions that would give more give NULL and warn. */
export const MAX_ALLOWED_PACKET = 67108864;

export interface ExprOptions {
  readonly mode: SqlMode;
  readonly defaultWeekFormat: number;
}

/** One for each table; the compiled closures keep it. */
export class ExprContext {
  /** Conversions leave their failures here; its warnings pass through `warn`. */
  readonly session: CastSession;
  readonly table: TableInfo;
  readonly defaultWeekFormat: number;
  /** `sql_mode` has NO_UNSIGNED_SUBTRACTION. */
  readonly noUnsignedSubtraction: boolean;
  /** What is being compiled, for refusals: `generated column "g" has the expression …`. */
  what = "";
  /** The index whose column is being compiled, for the errors of multi-valued indexes. */
  indexName = "expression_index";
  /** While constants are computed at compile time nothing is warned of. */
  private folding = false;

  constructor(table: TableInfo, session: CastSession, options: ExprOptions) {
    this.table = table;
    this.defaultWeekFormat = options.defaultWeekFormat;
    this.noUnsignedSubtraction = options.mode.has("NO_UNSIGNED_SUBTRACTION");
    const warn = (code: number, message: string): void => {
      if (!this.folding) session.warn(code, message);
    };
    this.session = session.with({ warn });
  }

  warn(code: number, message: string): void {
    this.session.warn(code, message);
  }

  /** Warns of the failure where the mode forgives it, else throws it. */
  handle(fault: Fault): void {
    const left = this.session.forgive(fault);
    if (left !== null) throw new CastError(left.code, left.message);
  }

  /** Ends a conversion: true if it failed and that was forgiven. */
  failed(): boolean {
    const fault = this.session.take();
    if (fault === null) return false;
    this.handle(fault);
    return true;
  }

  truncated(type: string, text: string): void {
    this.handle(truncatedWrongValue(type, text));
  }

  invalidTime(text: string, type = "datetime"): null {
    this.handle(wrongValue(type, text));
    return null;
  }

  /** NULL for a result that is too long, with an error or a warning as the mode says. */
  tooLong(name: string): null {
    const message = `Result of ${name}() was larger than max_allowed_packet (${MAX_ALLOWED_PACKET}) - truncated`;
    if (this.session.strict) throw new CastError(1301, message);
    this.warn(1301, message);
    return null;
  }

  /** NULL, with an error or a warning as the mode says. */
  divisionByZero(): null {
    const { session } = this;
    if (!session.errorForDivisionByZero) return null;
    if (session.strict) throw new CastError(DIVISION_BY_ZERO, "Division by 0");
    session.warn(DIVISION_BY_ZERO, "Division by 0");
    return null;
  }

  /** The value of a constant computed once, or undefined if that fails: then it is computed for every row. */
  fold<T>(compute: () => T): { value: T } | undefined {
    const outer = this.folding;
    this.folding = true;
    try {
      return { value: compute() };
    } catch (thrown) {
      if (!(thrown instanceof CastError)) throw thrown;
      return undefined;
    } finally {
      this.folding = outer;
      this.session.fault = null;
    }
  }

  /** The refusal of something that levin does not know, at compile time. */
  unsupported(thing: string): LevinError {
    return this.refusal(`of which levin does not know ${thing}`);
  }

  /** The refusal of the expression that is being compiled. */
  refusal(reason: string): LevinError {
    const { table, what } = this;
    const message = `Cannot import table "${table.name.O}": ${what}, ${reason}`;
    return new LevinError("Levin:Schema:ErrUnsupported", message, { fields: { table: table.name.O } });
  }
}

/** Errors that no mode forgives. */
export function outOfRange(type: string, detail: string): CastError {
  return new CastError(1690, `${type} value is out of range in '${detail}'`);
}

export function wrongValueForType(type: string, value: string, func: string): CastError {
  return new CastError(1411, `Incorrect ${type} value: '${value}' for function ${func}`);
}
