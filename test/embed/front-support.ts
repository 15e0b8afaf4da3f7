import mysql from "mysql2/promise";
import { seededRandom } from "../../src/base/mod.ts";
import { evaluateVirtual, makeRowEncoder } from "../../src/cli/sandbox-rows.ts";
import {
  type FrontOptions,
  frontStorage,
  type Sandbox,
  startFront,
  startSandbox,
  type TidbFront,
} from "../../src/embed/mod.ts";
import { TestClock } from "./support.ts";

export interface TestFront {
  sandbox: Sandbox;
  front: TidbFront;
  clock: TestClock;
  connect(options?: mysql.ConnectionOptions): Promise<mysql.Connection>;
  close(): Promise<void>;
}

/** A sandbox with its TiDB front in memory, and mysql2 as importers set it up. */
export async function openFront(
  options: Partial<FrontOptions> = {},
  dir?: string,
  storageOver: (storage: FrontOptions["storage"]) => FrontOptions["storage"] = (storage) => storage,
): Promise<TestFront> {
  const clock = new TestClock();
  const sandbox = await startSandbox({ clock, random: seededRandom(1), ...(dir && { dir }) });
  const front = await startFront(sandbox.cluster, {
    storage: storageOver(frontStorage(sandbox.cluster)),
    host: "127.0.0.1",
    port: 0,
    statusPort: 0,
    pd: sandbox.pd,
    clock,
    newCollations: true,
    makeRowEncoder,
    evaluateVirtual,
    ...options,
  });
  return {
    sandbox,
    front,
    clock,
    connect: (more = {}) =>
      mysql.createConnection({
        host: "127.0.0.1",
        port: front.port,
        user: "root",
        rowsAsArray: true,
        supportBigNumbers: true,
        bigNumberStrings: true,
        dateStrings: true,
        ...more,
      }),
    async close() {
      await front.close();
      await sandbox.close();
    },
  };
}

/** A result as the captures write it. */
export interface Captured {
  sql?: string;
  note?: string;
  args?: unknown[];
  /** name, table, schema, type, collation, length, decimals, flags. */
  columns?: [string, string, string, number, number, number, number, number][];
  rows?: unknown[][];
  ok?: { affectedRows: number; insertId: string; info: string; warningStatus: number; serverStatus: number };
  error?: { errno?: number; sqlState?: string; message: string };
}

interface Field {
  name: string;
  table: string;
  schema?: string;
  db?: string;
  columnType: number;
  characterSet: number;
  columnLength: number;
  decimals: number;
  flags: number;
}

function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  return value;
}

/** Runs one captured statement and gives the answer in the same form. */
export async function answerOf(client: mysql.Connection, { sql, args }: Captured): Promise<Captured> {
  try {
    const [result, fields] =
      args === undefined ? await client.query(sql!) : await client.execute(sql!, args as mysql.ExecuteValues);
    if (!Array.isArray(result)) {
      const { affectedRows, insertId, info, warningStatus, serverStatus } = result as mysql.ResultSetHeader & {
        serverStatus: number;
      };
      return { ok: { affectedRows, insertId: String(insertId), info, warningStatus, serverStatus } };
    }
    const columns = (fields as unknown as Field[]).map((field): NonNullable<Captured["columns"]>[number] => [
      field.name,
      field.table,
      field.schema ?? field.db ?? "",
      field.columnType,
      field.characterSet,
      field.columnLength,
      field.decimals,
      Number(field.flags),
    ]);
    return { columns, rows: (result as unknown[][]).map((row) => row.map(shown)) };
  } catch (error) {
    const { errno, sqlState, message } = error as { errno?: number; sqlState?: string; message: string };
    return { error: { errno: errno!, sqlState: sqlState!, message } };
  }
}
