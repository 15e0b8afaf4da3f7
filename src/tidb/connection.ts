import mysql from "mysql2/promise";
import { LevinError, toHex, utf8 } from "../base/mod.ts";
import { sm3Password } from "./sm3-password.ts";

/** TLS towards TiDB: PEM texts. */
export interface TidbTls {
  ca?: string;
  cert?: string;
  key?: string;
  /** What the files hold now; asked at each new connection. */
  current?: () => Pick<TidbTls, "ca" | "cert" | "key">;
  /** False accepts any certificate (`tidb.tls = "skip-verify"`). */
  verify: boolean;
  /** A server without TLS is taken too (`tidb.tls = "preferred"`). */
  optional?: boolean;
}

export interface TidbOptions {
  host: string;
  port: number;
  user: string;
  password: string;
  tls?: TidbTls;
  /** Set on each connection, for example `sql_mode`, `time_zone`. */
  sessionVariables?: Record<string, string | number>;
  connectionsMax: number;
  connectTimeoutMs: number;
  /** It need not be TiDB: errors call it "the target". */
  anyServer?: boolean;
}

/** Text of each value as the text protocol sends it; null = NULL. */
export type SqlRow = (string | null)[];

export interface SqlResult {
  columns: string[];
  rows: SqlRow[];
  affectedRows: number;
}

/**
 * SQL connections to TiDB (or MySQL). Values come back as their text, so that no 64-bit integer, decimal or time is rounded.
 * Errors: `Levin:Tidb:ErrUnavailable` (cannot reach, lost), `Levin:Tidb:ErrSql` (the server's error, with `errno` in the fields).
 */
export interface Tidb {
  readonly address: string;
  query(sql: string, values?: (string | number | null)[]): Promise<SqlResult>;
  /** Runs `use` with one connection held, for statements that belong together. */
  session<T>(use: (query: Tidb["query"]) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Of a statement that undoes something behind an interruption: a server that answers no more does not keep a process that ends. */
const GOODBYE_MS = 3_000;

const LOST = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "PROTOCOL_CONNECTION_LOST",
]);

/** Codes of failed handshakes and refused certificates on Bun, Node and Deno. */
export function isTlsCode(code: string | undefined): boolean {
  return code !== undefined && /^(ERR_SSL_|ERR_TLS_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|EPROTO)/.test(code);
}

/** Turns what mysql2 throws into a LevinError; `what` is the failed action, the statement's head is cut to 200 characters. */
export function tidbError(
  thrown: unknown,
  { host, port, anyServer }: Pick<TidbOptions, "host" | "port" | "anyServer">,
  sql: string | undefined,
): LevinError {
  if (thrown instanceof LevinError) return thrown;
  const error = thrown as {
    code?: string;
    errno?: number;
    sqlState?: string;
    message?: string;
    fatal?: boolean;
  };
  const text = error.message || error.code || String(thrown);
  const address = `${host}:${port}`;
  const server = anyServer ? "the target" : "TiDB";
  // What mysql2 says of a connection that ended while it lay in the pool.
  const closed = /closed state/.test(text);
  if (closed || (error.code !== undefined && LOST.has(error.code))) {
    return new LevinError("Levin:Tidb:ErrUnavailable", `Cannot reach ${server} at ${address}: ${text}`, {
      cause: thrown,
      fields: { address, cause: error.code },
    });
  }
  if (error.code === "HANDSHAKE_SSL_ERROR" || error.code === "HANDSHAKE_NO_SSL_SUPPORT" || isTlsCode(error.code)) {
    return new LevinError("Levin:Rpc:ErrTls", `Cannot open TLS to ${server} at ${address}: ${text}`, {
      cause: thrown,
      fields: { address, cause: error.code },
    });
  }
  const head = sql === undefined ? "" : ` in "${sql.length > 200 ? `${sql.slice(0, 200)}…` : sql}"`;
  const hint = error.errno === 1045 ? " (check user and password; accounts with caching_sha2_password need TLS)" : "";
  const number = error.errno === undefined ? "" : `error ${error.errno} `;
  return new LevinError(
    "Levin:Tidb:ErrSql",
    `${anyServer ? "The target" : server} at ${address} refused: ${number}${text}${hint}${head}`,
    {
      cause: thrown,
      fields: { address, errno: error.errno, sqlState: error.sqlState },
    },
  );
}

/** The server's error number of a `Levin:Tidb:ErrSql`, else undefined. */
export function sqlErrno(error: unknown): number | undefined {
  return error instanceof LevinError && typeof error.fields["errno"] === "number" ? error.fields["errno"] : undefined;
}

const ER_BAD_DB = 1049;
const ER_NO_SUCH_TABLE = 1146;

/** Whether a statement was refused because its database or table is not there. */
export function isMissingTable(error: unknown): boolean {
  const errno = sqlErrno(error);
  return errno === ER_BAD_DB || errno === ER_NO_SUCH_TABLE;
}

/** One SET of all of them; undefined where there are none. Whole numbers stand bare: MariaDB takes no '0' for a switch. */
export function variablesStatement(variables: Record<string, string | number>): string | undefined {
  const bare = (value: string | number): boolean => /^(0|-?[1-9]\d{0,17})$/.test(String(value));
  const parts = Object.entries(variables).map(
    ([name, value]) => `${name} = ${bare(value) ? value : mysql.escape(value)}`,
  );
  return parts.length === 0 ? undefined : `SET ${parts.join(", ")}`;
}

/** TLS as mysql2 takes it, and the ways to log in that it does not know. */
export function securityOf({ tls, password }: TidbOptions): Pick<mysql.ConnectionOptions, "ssl" | "authPlugins"> {
  const authPlugins = {
    tidb_sm3_password: () => {
      const answer = sm3Password(password, tls !== undefined);
      return (data: Uint8Array) => {
        const bytes = answer(data);
        return bytes === null ? null : Buffer.from(bytes);
      };
    },
  };
  if (tls === undefined) return { authPlugins };
  const { verify } = tls;
  // mysql2 reads them for each connection of a pool.
  const ssl: mysql.SslOptions = { rejectUnauthorized: verify, verifyIdentity: verify };
  for (const name of ["ca", "cert", "key"] as const) {
    if (tls[name] === undefined) continue;
    Object.defineProperty(ssl, name, { enumerable: true, get: () => (tls.current?.() ?? tls)[name] });
  }
  return { ssl, authPlugins };
}

/**
 * The answer, or an error as of a lost connection when the signal is aborted; what begins after that, to undo something, has `GOODBYE_MS`.
 * mysql2 leaves what it waits for without an answer for ever; `giveUp` ends it.
 */
function unlessInterrupted<T>(answer: Promise<T>, signal: AbortSignal | undefined, giveUp: () => void): Promise<T> {
  if (signal === undefined) return answer;
  const end = signal.aborted ? AbortSignal.timeout(GOODBYE_MS) : signal;
  return new Promise((resolve, reject) => {
    const interrupt = (): void => {
      giveUp();
      reject(Object.assign(new Error("the statement was interrupted"), { code: "PROTOCOL_CONNECTION_LOST" }));
    };
    end.addEventListener("abort", interrupt, { once: true });
    answer.then(resolve, reject).finally(() => end.removeEventListener("abort", interrupt));
  });
}

/**
 * Opens the pool and makes sure that the server answers. Statements that are under way when the signal is aborted end at once, as of a
 * lost connection; later ones run, for what is to be undone, for a few seconds each.
 */
export async function connectTidb(options: TidbOptions, signal?: AbortSignal): Promise<Tidb> {
  const address = `${options.host}:${options.port}`;
  const pool = mysql.createPool({
    host: options.host,
    port: options.port,
    user: options.user,
    password: options.password,
    charset: "utf8mb4_bin",
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    decimalNumbers: false,
    rowsAsArray: true,
    flags: ["-FOUND_ROWS"],
    connectionLimit: options.connectionsMax,
    connectTimeout: options.connectTimeoutMs,
    // A stack of each statement's caller costs a tenth of a millisecond and more; an error gets its own.
    trace: false,
    typeCast: (field, next) => (field.type === "GEOMETRY" ? next() : field.string("utf8")),
    ...securityOf(options),
  });
  const setup = variablesStatement(options.sessionVariables ?? {});
  const ready = new WeakSet<object>();

  const run = async (
    connection: mysql.PoolConnection,
    sql: string,
    values?: (string | number | null)[],
  ): Promise<SqlResult> => {
    try {
      const answer = connection.query({ sql, ...(values === undefined ? {} : { values }) });
      const [result, columns] = await unlessInterrupted(answer, signal, () => connection.destroy());
      if (!Array.isArray(result)) return { columns: [], rows: [], affectedRows: result.affectedRows };
      return {
        columns: columns.map((column) => column.name),
        rows: result as unknown as SqlRow[],
        affectedRows: 0,
      };
    } catch (thrown) {
      throw tidbError(thrown, options, sql);
    }
  };

  const take = async (): Promise<mysql.PoolConnection> => {
    let connection: mysql.PoolConnection;
    try {
      const opened = pool.getConnection();
      const tooLate = (): unknown => opened.then((late) => late.destroy()).catch(() => undefined);
      connection = await unlessInterrupted(opened, signal, tooLate);
    } catch (thrown) {
      throw tidbError(thrown, options, undefined);
    }
    const raw = connection.connection;
    if (setup !== undefined && !ready.has(raw)) {
      await run(connection, setup).catch((error) => {
        connection.destroy();
        throw error;
      });
      ready.add(raw);
    }
    return connection;
  };

  const session: Tidb["session"] = async (use) => {
    const connection = await take();
    try {
      const result = await use((sql, values) => run(connection, sql, values));
      connection.release();
      return result;
    } catch (error) {
      // A lost connection must not go back into the pool; after the server's own errors it is as good as before.
      if (error instanceof LevinError && error.code === "Levin:Tidb:ErrSql") connection.release();
      else connection.destroy();
      throw error;
    }
  };

  const tidb: Tidb = {
    address,
    query: (sql, values) => session((query) => query(sql, values)),
    session,
    close: () => pool.end(),
  };
  try {
    await tidb.query("SELECT 1");
  } catch (error) {
    await pool.end().catch(() => undefined);
    const { tls, ...plain } = options;
    const hasNone = error instanceof LevinError && error.fields["cause"] === "HANDSHAKE_NO_SSL_SUPPORT";
    if (tls?.optional && hasNone) return await connectTidb(plain, signal);
    throw error;
  }
  return tidb;
}

/** A text in single quotes, for statements that run under any SQL mode: names of modes, tables, jobs; without backslashes. */
export function quoteText(text: string): string {
  if (text.includes("\\")) return `CONVERT(0x${toHex(utf8(text))} USING utf8mb4)`;
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name in back quotes. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
