import type { TableInfo } from "../../../schema/mod.ts";
import type { RowSession } from "../dml/encoder.ts";
import { type ReadView, Transaction, viewAt } from "../store/mod.ts";
import { type ClientFacts, SqlError, Status } from "../wire/mod.ts";
import type { DatabaseInfo, DdlContext, Front, Warning } from "./front.ts";
import { collations } from "./server-facts.ts";
import { UserLocks } from "./user-locks.ts";
import { kindOfVariable, systemVariables } from "./variables.ts";

const SYSTEM_DATABASES = new Set(["information_schema", "mysql", "performance_schema", "metrics_schema", "sys"]);

/** What one session remembers: its database, variables, warnings and transaction. */
export class SessionState {
  readonly front: Front;
  readonly connectionId: number;
  readonly user: string;
  readonly client: ClientFacts;
  readonly userLocks: UserLocks;
  warnings: Warning[] = [];
  db = "";
  /** Of LAST_INSERT_ID(). */
  lastInsertId = 0n;
  /** Last values of sequences in this session, by table id. */
  readonly lastSequence = new Map<number, string>();
  /** Text of the running statement, "" when there is none. */
  running = "";
  startedMs = 0;
  /** Aborted by KILL QUERY, KILL and when the client is gone. */
  stop = new AbortController();
  #txn: Transaction | undefined;
  readonly #system = new Map<string, string>();
  readonly #own = new Map<string, string | null>();

  constructor(front: Front, connectionId: number, user: string, client: ClientFacts) {
    this.front = front;
    this.connectionId = connectionId;
    this.user = user;
    this.client = client;
    this.userLocks = new UserLocks(front.userLocks, connectionId);
    const collation = collations.find(([, , id]) => id === String(client.collation))?.[0];
    if (collation !== undefined) this.keepVariable("collation_connection", collation, false);
  }

  get status(): number {
    const autocommit = this.flag("autocommit") ? Status.autocommit : 0;
    return autocommit | (this.#txn?.explicit ? Status.inTransaction : 0);
  }

  currentDatabase(): string {
    if (this.db === "") throw new SqlError(1046, "No database selected", "3D000");
    return this.db;
  }

  use(name: string): void {
    this.db = SYSTEM_DATABASES.has(name.toLowerCase()) ? name : this.database(name).name;
  }

  database(name: string): DatabaseInfo {
    const found = this.front.catalog.database(name);
    if (found === undefined) throw new SqlError(1049, `Unknown database '${name}'`, "42000");
    return found;
  }

  table(name: { db: string | undefined; table: string }): { db: string; table: TableInfo } {
    const db = name.db ?? this.currentDatabase();
    const table = this.front.catalog.table(db, name.table);
    if (table === undefined) throw new SqlError(1146, `Table '${db}.${name.table}' doesn't exist`, "42S02");
    return { db: this.front.catalog.database(db)?.name ?? db, table };
  }

  variableNames(): string[] {
    return ["version", ...Object.keys(systemVariables)].sort();
  }

  /** Value of a system variable as SHOW VARIABLES gives it; error 1193 for one that TiDB would not know either. */
  variable(name: string, global = false): string {
    const key = name.toLowerCase();
    if (key === "version") return this.front.version;
    const value = (global ? undefined : this.#system.get(key)) ?? this.front.globals.get(key) ?? systemVariables[key];
    if (value === undefined) throw new SqlError(1193, `Unknown system variable '${name}'`);
    return value;
  }

  /** The same as SELECT @@name gives it: switches as 1 and 0. */
  selected(name: string, global: boolean): string {
    const value = this.variable(name, global);
    return kindOfVariable(name.toLowerCase()) === "switch" ? (value === "ON" ? "1" : "0") : value;
  }

  flag(name: string): boolean {
    return this.variable(name) === "ON";
  }

  keepVariable(name: string, value: string, global: boolean): void {
    if (global) this.front.globals.set(name, value);
    else this.#system.set(name, value);
  }

  userVariable(name: string): string | null {
    return this.#own.get(name.toLowerCase()) ?? null;
  }

  setUserVariable(name: string, value: string | null): void {
    this.#own.set(name.toLowerCase(), value);
  }

  ddlContext(): DdlContext {
    const clustered = this.variable("tidb_enable_clustered_index").toLowerCase();
    return {
      database: this.db,
      sqlMode: this.variable("sql_mode"),
      timeZone: this.timeZone(),
      clusteredIndex: clustered === "int_only" ? "int_only" : clustered === "off" || clustered === "0" ? "off" : "on",
    };
  }

  /** The session's zone, never SYSTEM. */
  timeZone(): string {
    const zone = this.variable("time_zone");
    return zone.toUpperCase() === "SYSTEM" ? this.variable("system_time_zone", true) : zone;
  }

  /** The session's clock: `timestamp` stops it. */
  nowMs(): number {
    const fixed = Number(this.variable("timestamp"));
    return fixed > 0 ? fixed * 1000 : this.front.clock.nowMs();
  }

  rowSession(): RowSession {
    return {
      sqlMode: this.variable("sql_mode"),
      timeZone: this.timeZone(),
      newCollations: this.front.newCollations,
      rowFormatVersion: this.variable("tidb_row_format_version") === "1" ? 1 : 2,
      rowLevelChecksum: this.flag("tidb_enable_row_level_checksum"),
      nowMs: this.nowMs(),
      defaultWeekFormat: Number(this.variable("default_week_format")),
    };
  }

  get transaction(): Transaction | undefined {
    return this.#txn;
  }

  /** BEGIN: ends the transaction before. */
  async begin(): Promise<void> {
    await this.commit();
    await this.#start(true);
  }

  /** The transaction of a statement that writes. */
  async writing(): Promise<Transaction> {
    return this.#txn ?? this.#start(!this.flag("autocommit"));
  }

  async #start(explicit: boolean): Promise<Transaction> {
    const ts = await this.front.storage.currentTs();
    this.#txn = new Transaction(this.front.storage, this.front.locks, { id: this.connectionId, ts, explicit });
    return this.#txn;
  }

  /** What a SELECT reads. */
  async reading(): Promise<ReadView> {
    const snapshot = this.variable("tidb_snapshot");
    if (snapshot !== "") return viewAt(this.front.storage, BigInt(snapshot));
    if (this.#txn === undefined && !this.flag("autocommit")) await this.#start(true);
    return this.#txn?.snapshot ?? viewAt(this.front.storage, await this.front.storage.currentTs());
  }

  async commit(): Promise<void> {
    const txn = this.#txn;
    this.#txn = undefined;
    await txn?.commit();
  }

  rollback(): void {
    this.#txn?.rollback();
    this.#txn = undefined;
  }
}
