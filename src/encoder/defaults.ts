/** Values of columns that the source does not give (`GetColDefaultValue` of TiDB's `pkg/table/column.go`). */
import { utf8 } from "../base/mod.ts";
import { type Datum, FieldKind, NULL_DATUM, packTime, TimeZone, unpackTime, utcSeconds } from "../codec/mod.ts";
import { Tp } from "../schema/mod.ts";
import { type ColumnLayout, defaultOf, originDefaultOf, type TableLayout, unsupported } from "./layout.ts";
import type { ColumnCaster, EncodeSession, TableExpressions } from "./options.ts";
import { MysqlCode } from "./value-error.ts";
import { zeroValue } from "./zero-value.ts";

const ZERO_DATETIME = "0000-00-00 00:00:00";

/** A MySQL error of a column that has no default. */
export class NoDefaultError extends Error {
  override readonly name = "NoDefaultError";
  readonly code = MysqlCode.noDefault;

  constructor(column: string) {
    super(`Field '${column}' doesn't have a default value`);
  }
}

export interface DefaultTools {
  readonly layout: TableLayout;
  readonly session: EncodeSession;
  readonly strict: boolean;
  readonly caster: ColumnCaster;
  /** The same casts in the zone of a TIMESTAMP default. */
  readonly casterIn: (zone: TimeZone) => ColumnCaster;
  readonly expressions: TableExpressions;
  readonly warn: (mysqlCode: number, message: string) => void;
}

/**
 * A function that gives the column's default for one row; constants are cast once. Throws `Levin:Schema:ErrUnsupported` for an
 * expression that nothing here can evaluate.
 */
export function compileDefault(column: ColumnLayout, tools: DefaultTools): () => Datum {
  const { info } = column;
  if (info.default_is_expr) {
    const compile = tools.expressions.defaultValue;
    const text = String(info.default);
    if (compile === undefined) {
      const reason = `column "${info.name.O}" has the default (${text}), an expression that levin does not know`;
      throw unsupported(tools.layout.info, reason, { column: info.name.O });
    }
    return compile(tools.layout.info, info);
  }
  const value = defaultOf(info);
  if (value === null) return () => withoutDefault(column, tools);
  let cached: Datum | undefined;
  return () => {
    cached ??= castDefault(column, String(value), tools);
    return cached;
  };
}

/** Value that rows older than the column have, and rows written while it is being added. */
export function compileOriginDefault(column: ColumnLayout, tools: DefaultTools): () => Datum {
  const value = originDefaultOf(column.info);
  if (value === null) return () => (column.notNull ? zeroValue(column) : NULL_DATUM);
  let cached: Datum | undefined;
  return () => {
    cached ??= castDefault(column, String(value), tools);
    return cached;
  };
}

function withoutDefault(column: ColumnLayout, tools: DefaultTools): Datum {
  if (!column.notNull) return NULL_DATUM;
  if (column.form.kind === "enum") return { kind: "enum", value: 1n };
  const error = new NoDefaultError(column.info.name.O);
  if (tools.strict) throw error;
  tools.warn(error.code, error.message);
  return zeroValue(column);
}

function castDefault(column: ColumnLayout, text: string, tools: DefaultTools): Datum {
  const { info, form } = column;
  const cast = (caster: ColumnCaster, kind: number, bytes: Uint8Array): Datum =>
    caster.cast(kind, bytes, 0, bytes.length, info);
  if (info.type.Tp === Tp.bit) {
    const bytes = info.default_bit == null ? utf8(text) : fromBase64(text);
    return cast(tools.caster, FieldKind.binary, bytes);
  }
  if (form.kind !== "time") return cast(tools.caster, FieldKind.string, utf8(text));
  if (/^current_(timestamp|date)(\(\d*\))?$/i.test(text)) return currentTime(column, tools);
  if (info.type.Tp !== Tp.timestamp || text === ZERO_DATETIME) return cast(tools.caster, FieldKind.string, utf8(text));
  const zone = info.version >= 1 ? TimeZone.utc : systemZone(tools);
  const d = cast(tools.casterIn(zone), FieldKind.string, utf8(text));
  if (d.kind !== "time" || d.packed === 0n) return d;
  const parts = unpackTime(d.packed);
  const moment = zone.toUnix(utcSeconds(parts));
  return { ...d, packed: packTime(tools.layout.zone.toLocal(moment, parts.micro)) };
}

function systemZone(tools: DefaultTools): TimeZone {
  const name = tools.session.systemTimeZone;
  return (name === undefined ? undefined : TimeZone.find(name)) ?? tools.layout.zone;
}

/** The session's clock in its zone, fractional digits beyond the column's cut. */
function currentTime(column: ColumnLayout, tools: DefaultTools): Datum {
  const { tp, fsp } = column.form;
  const seconds = Math.floor(tools.session.nowMs / 1000);
  const micro = Math.round((tools.session.nowMs - seconds * 1000) * 1000);
  const unit = 10 ** (6 - fsp);
  const local = tools.layout.zone.toLocal(seconds, micro - (micro % unit));
  const parts = tp === Tp.date ? { ...local, hour: 0, minute: 0, second: 0, micro: 0 } : local;
  return { kind: "time", packed: packTime(parts), tp, fsp };
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
