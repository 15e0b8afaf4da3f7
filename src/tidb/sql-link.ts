import type { Buffer } from "node:buffer";
import mysql from "mysql2/promise";
import { LevinError } from "../base/mod.ts";
import { quoteText, type SqlRow, securityOf, type TidbOptions, tidbError, variablesStatement } from "./connection.ts";

/** What a statement that gives no rows has done. */
interface SqlOutcome {
  affectedRows: number;
  warnings: number;
}

/**
 * One connection for statements whose values are bytes. Statements go to the server byte for byte; what is text in them is UTF-8. Errors
 * as those of `Tidb`.
 */
export interface SqlLink {
  /** Runs one statement that gives no rows. */
  run(statement: Uint8Array | string): Promise<SqlOutcome>;
  /** Runs one statement that gives rows. */
  rows(sql: Uint8Array | string): Promise<SqlRow[]>;
  /** Ends the connection at once, whatever it does. */
  destroy(): void;
}

/** Heads of refused statements are kept short: they hold rows. */
const HEAD_BYTES = 120;

/**
 * Opens a connection. mysql2 encodes statements by the character set that it was told; "binary" makes that a plain copy, and the
 * server is told afterwards what the bytes really are.
 */
export async function openSqlLink(options: TidbOptions): Promise<SqlLink> {
  const address = `${options.host}:${options.port}`;
  let connection: mysql.Connection;
  try {
    connection = await mysql.createConnection({
      host: options.host,
      port: options.port,
      user: options.user,
      password: options.password,
      charset: "binary",
      // Where the server tells of SET NAMES, mysql2 would encode by that from then on.
      flags: ["-FOUND_ROWS", "-SESSION_TRACK"],
      rowsAsArray: true,
      connectTimeout: options.connectTimeoutMs,
      trace: false,
      typeCast: (field) => field.string("utf8"),
      ...securityOf(options),
    });
  } catch (thrown) {
    const { tls, ...plain } = options;
    if (tls?.optional && (thrown as { code?: string }).code === "HANDSHAKE_NO_SSL_SUPPORT") return openSqlLink(plain);
    throw tidbError(thrown, options, undefined);
  }
  // A connection that breaks while it is idle is noticed by the next statement.
  connection.on("error", () => undefined);
  // mysql2 leaves a statement without an answer for ever when its connection is destroyed.
  let endPending: ((error: unknown) => void) | undefined;
  const query = async (statement: Uint8Array | string): Promise<unknown> => {
    const bytes = (typeof statement === "string" ? new TextEncoder().encode(statement) : statement) as Uint8Array;
    const text = bufferOf(bytes).toString("latin1");
    try {
      return await new Promise((resolve, reject) => {
        endPending = reject;
        connection.query(text).then(([result]) => resolve(result), reject);
      });
    } catch (thrown) {
      throw tidbError(thrown, options, bufferOf(bytes.subarray(0, HEAD_BYTES)).toString("utf8"));
    }
  };
  const link: SqlLink = {
    async run(statement) {
      const result = await query(statement);
      if (Array.isArray(result)) throw new LevinError("Levin:Tidb:ErrSql", `TiDB at ${address} gave rows unasked`);
      const { affectedRows, warningStatus } = result as mysql.ResultSetHeader;
      return { affectedRows, warnings: warningStatus };
    },
    rows: async (sql) => (await query(sql)) as SqlRow[],
    destroy: () => {
      connection.destroy();
      endPending?.(Object.assign(new Error("the connection was closed"), { code: "PROTOCOL_CONNECTION_LOST" }));
    },
  };
  try {
    await link.run(`SET NAMES utf8mb4 COLLATE ${quoteText("utf8mb4_bin")}`);
    const setup = variablesStatement(options.sessionVariables ?? {});
    if (setup !== undefined) await link.run(setup);
    return link;
  } catch (error) {
    link.destroy();
    throw error;
  }
}

/** The same memory as a Buffer. */
function bufferOf(bytes: Uint8Array): Buffer {
  return globalThis.Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
