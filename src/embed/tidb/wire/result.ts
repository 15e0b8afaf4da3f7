import { PacketWriter } from "./packet.ts";

/** Type codes on the wire that differ from, or equal, TiDB's column types. */
export interface ResultColumn {
  name: string;
  /** MySQL type code, for example 253 VAR_STRING, 8 LONGLONG. */
  type: number;
  flags?: number;
  decimals?: number;
  length?: number;
  /** Collation id: 63 binary, 46 utf8mb4_bin. */
  collation?: number;
  schema?: string;
  table?: string;
  originalTable?: string;
  originalName?: string;
}

export type ResultValue = string | Uint8Array | null;

export type StatementResult =
  | {
      kind: "rows";
      columns: ResultColumn[];
      rows: Iterable<ResultValue[]> | AsyncIterable<ResultValue[]>;
      warnings?: number;
    }
  | { kind: "ok"; affectedRows?: bigint; insertId?: bigint; warnings?: number; info?: string };

/** An error of the SQL layer: MySQL number, SQLSTATE, text. */
export class SqlError extends Error {
  readonly errno: number;
  readonly sqlState: string;

  constructor(errno: number, message: string, sqlState = "HY000") {
    super(message);
    this.errno = errno;
    this.sqlState = sqlState;
  }
}

export const Status = { inTransaction: 1, autocommit: 2 } as const;

export const Capability = {
  longPassword: 1,
  foundRows: 2,
  longFlag: 4,
  connectWithDb: 8,
  localFiles: 0x80,
  ignoreSpace: 0x100,
  protocol41: 0x200,
  interactive: 0x400,
  ssl: 0x800,
  transactions: 0x2000,
  secureConnection: 0x8000,
  multiStatements: 0x10000,
  multiResults: 0x20000,
  psMultiResults: 0x40000,
  pluginAuth: 0x80000,
  connectAttrs: 0x100000,
  pluginAuthLenenc: 0x200000,
  deprecateEof: 0x1000000,
} as const;

export function okPacket(result: Extract<StatementResult, { kind: "ok" }>, status: number, header = 0): Uint8Array {
  const packet = new PacketWriter()
    .uint(header, 1)
    .lengthCoded(result.affectedRows ?? 0n)
    .lengthCoded(result.insertId ?? 0n)
    .uint(status, 2)
    .uint(result.warnings ?? 0, 2);
  if (result.info !== undefined) packet.lengthCodedText(result.info);
  return packet.finish();
}

export function errorPacket(error: SqlError): Uint8Array {
  return new PacketWriter().uint(0xff, 1).uint(error.errno, 2).text(`#${error.sqlState}`).text(error.message).finish();
}

/** End of columns or rows: EOF, or for clients that deprecate it an OK with header FE. */
export function eofPacket(warnings: number, status: number): Uint8Array {
  return new PacketWriter().uint(0xfe, 1).uint(warnings, 2).uint(status, 2).finish();
}

export function columnPacket(column: ResultColumn): Uint8Array {
  return new PacketWriter()
    .lengthCodedText("def")
    .lengthCodedText(column.schema ?? "")
    .lengthCodedText(column.table ?? "")
    .lengthCodedText(column.originalTable ?? column.table ?? "")
    .lengthCodedText(column.name)
    .lengthCodedText(column.originalName ?? (column.table === undefined ? "" : column.name))
    .uint(0x0c, 1)
    .uint(column.collation ?? 46, 2)
    .uint(column.length ?? 1024, 4)
    .uint(column.type, 1)
    .uint(column.flags ?? 0, 2)
    .uint(column.decimals ?? 0, 1)
    .uint(0, 2)
    .finish();
}

export function textRowPacket(values: readonly ResultValue[]): Uint8Array {
  const packet = new PacketWriter();
  for (const value of values) {
    if (value === null) packet.uint(0xfb, 1);
    else if (typeof value === "string") packet.lengthCodedText(value);
    else packet.lengthCodedBytes(value);
  }
  return packet.finish();
}
