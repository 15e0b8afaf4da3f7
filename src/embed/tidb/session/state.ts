import type { TableInfo } from "../../../schema/mod.ts";
import { SqlError } from "../wire/mod.ts";
import type { DatabaseInfo, DdlContext, Front, Warning } from "./front.ts";
import { systemVariables } from "./variables.ts";

/** What one session remembers: its database, variables and warnings. */
export class SessionState {
  readonly front: Front;
  readonly connectionId: number;
  readonly user: string;
  warnings: Warning[] = [];
  db = "";
  readonly #system = new Map<string, string>();
  readonly #own = new Map<string, string | null>();

  constructor(front: Front, connectionId: number, user: string) {
    this.front = front;
    this.connectionId = connectionId;
    this.user = user;
  }

  currentDatabase(): string {
    if (this.db === "") throw new SqlError(1046, "No database selected", "3D000");
    return this.db;
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
    return { db, table };
  }

  variableNames(): string[] {
    return Object.keys(systemVariables);
  }

  /** Value of a system variable; error 1193 for one that TiDB would not know either. */
  variable(name: string, global: boolean): string {
    const key = name.toLowerCase();
    if (key === "version") return this.front.version;
    const value = (global ? undefined : this.#system.get(key)) ?? this.front.globals.get(key) ?? systemVariables[key];
    if (value === undefined) throw new SqlError(1193, `Unknown system variable '${name}'`);
    return value;
  }

  setVariable(name: string, value: string, global: boolean): void {
    const key = name.toLowerCase();
    if (systemVariables[key] === undefined) throw new SqlError(1193, `Unknown system variable '${name}'`);
    if (global) this.front.globals.set(key, value);
    else this.#system.set(key, value);
  }

  userVariable(name: string): string | null {
    return this.#own.get(name.toLowerCase()) ?? null;
  }

  setUserVariable(name: string, value: string | null): void {
    this.#own.set(name.toLowerCase(), value);
  }

  ddlContext(): DdlContext {
    const clustered = this.variable("tidb_enable_clustered_index", false).toLowerCase();
    return {
      database: this.db,
      sqlMode: this.variable("sql_mode", false),
      timeZone: this.timeZone(),
      clusteredIndex: clustered === "int_only" ? "int_only" : clustered === "off" || clustered === "0" ? "off" : "on",
    };
  }

  timeZone(): string {
    const zone = this.variable("time_zone", false);
    return zone.toUpperCase() === "SYSTEM" ? this.variable("system_time_zone", true) : zone;
  }
}
