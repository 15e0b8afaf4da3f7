/** A server for the statements of `src/br/tables.ts` and nothing else: databases, tables of segments, MySQL's errors in TiDB's words. */
import { fromHex, toHex } from "../../src/base/mod.ts";
import type { SqlQuery } from "../../src/br/mod.ts";

export interface TableSample {
  rows: { uuid_hex?: string; segment_id: number; data_hex: string }[];
  show_create_table?: string;
}

export type TablesSample = Record<string, { tables: Record<string, TableSample> }>;

/** uuid (hex, upper case; "" in metadata tables) and segment → data. */
type Rows = Map<string, { uuid: string; segment: bigint; data: Uint8Array }>;

export class FakeSql {
  readonly databases = new Map<string, Map<string, Rows>>();
  readonly statements: string[] = [];
  /** Makes the next statements fail: called with each, may throw. */
  before: (sql: string) => void | Promise<void> = () => {};

  constructor(sample: TablesSample = {}) {
    for (const [db, { tables }] of Object.entries(sample)) {
      const made = new Map<string, Rows>();
      for (const [table, { rows }] of Object.entries(tables)) {
        const kept: Rows = new Map();
        for (const { uuid_hex = "", segment_id, data_hex } of rows) {
          this.put(kept, uuid_hex.toUpperCase(), BigInt(segment_id), fromHex(data_hex));
        }
        made.set(table, kept);
      }
      this.databases.set(db, made);
    }
  }

  private put(rows: Rows, uuid: string, segment: bigint, data: Uint8Array): void {
    rows.set(`${uuid}/${segment}`, { uuid, segment, data });
  }

  private rowsOf(db: string, table: string): Rows {
    const found = this.databases.get(db)?.get(table);
    if (found === undefined) {
      throw new Error(`[schema:1146]Table '${db.toLowerCase()}.${table}' doesn't exist`);
    }
    return found;
  }

  /** Segments of every document in order, joined. */
  documents(db: string, table: string): { uuid: string; bytes: Uint8Array; segments: number }[] {
    const sorted = [...this.rowsOf(db, table).values()].sort((a, b) =>
      a.uuid === b.uuid ? Number(a.segment - b.segment) : a.uuid < b.uuid ? -1 : 1,
    );
    const out = new Map<string, Uint8Array[]>();
    for (const { uuid, data } of sorted) out.set(uuid, [...(out.get(uuid) ?? []), data]);
    return [...out].map(([uuid, parts]) => ({
      uuid,
      bytes: new Uint8Array(Buffer.concat(parts)),
      segments: parts.length,
    }));
  }

  readonly query: SqlQuery = async (sql, values = []) => {
    this.statements.push(sql);
    await this.before(sql);
    return { rows: this.run(sql, values) };
  };

  private run(sql: string, values: (string | number | null)[]): (string | null)[][] {
    let match = /^CREATE DATABASE IF NOT EXISTS `(\w+)`;$/.exec(sql);
    if (match !== null) {
      if (!this.databases.has(match[1]!)) this.databases.set(match[1]!, new Map());
      return [];
    }
    match = /^DROP DATABASE `(\w+)`;$/.exec(sql);
    if (match !== null) {
      if (!this.databases.delete(match[1]!)) {
        throw new Error(`[schema:1008]Can't drop database '${match[1]}'; database doesn't exist`);
      }
      return [];
    }
    match = /^CREATE TABLE `(\w+)`\.`(\w+)` \( /.exec(sql);
    if (match !== null) {
      const [, db, table] = match;
      const tables = this.databases.get(db!);
      if (tables === undefined) throw new Error(`[schema:1049]Unknown database '${db}'`);
      if (tables.has(table!)) throw new Error(`[schema:1050]Table '${db}.${table}' already exists`);
      tables.set(table!, new Map());
      return [];
    }
    match = /^DROP TABLE IF EXISTS `(\w+)`\.`(\w+)`;$/.exec(sql);
    if (match !== null) {
      this.databases.get(match[1]!)?.delete(match[2]!);
      return [];
    }
    match =
      /^REPLACE INTO `(\w+)`\.`(\w+)` \((uuid, )?segment_id, data\) VALUES \((?:x'(\w+)', )?(\d+), (?:x'(\w+)'|'')\);$/.exec(
        sql,
      );
    if (match !== null) {
      const [, db, table, , uuid = "", segment, data = ""] = match;
      this.put(this.rowsOf(db!, table!), uuid.toUpperCase(), BigInt(segment!), fromHex(data));
      return [];
    }
    if (sql.includes("information_schema.tables")) {
      const [db, table] = values as string[];
      const names = [...(this.databases.get(db!)?.keys() ?? [])].filter(
        (name) => table === undefined || name === table,
      );
      return names.map((name) => [name]);
    }
    return this.select(sql);
  }

  private select(sql: string): (string | null)[][] {
    const match =
      /^SELECT (HEX\(uuid\), )?segment_id, HEX\(data\) FROM `(\w+)`\.`(\w+)`(?: WHERE uuid > x'(\w+)' OR \(uuid = x'\4' AND segment_id > (\d+)\))? ORDER BY (?:uuid, )?segment_id(?: LIMIT (\d+))?;$/.exec(
        sql,
      );
    if (match === null) throw new Error(`the fake does not know: ${sql}`);
    const [, withUuid, db, table, uuid, segment, limit] = match;
    const rows = [...this.rowsOf(db!, table!).values()]
      .sort((a, b) => (a.uuid === b.uuid ? Number(a.segment - b.segment) : a.uuid < b.uuid ? -1 : 1))
      .filter((row) => uuid === undefined || row.uuid > uuid || (row.uuid === uuid && row.segment > BigInt(segment!)))
      .slice(0, limit === undefined ? undefined : Number(limit));
    return rows.map((row) => {
      const cells = [`${row.segment}`, toHex(row.data).toUpperCase()];
      return withUuid === undefined ? cells : [row.uuid, ...cells];
    });
  }
}
