/**
 * The SQL and status-port side of TiDB: connections, server variables, table models, allocators. Every value is text, nothing is
 * rounded. It knows statements, not their order: that is the importer's. The only client folder that imports `mysql2`.
 */
export * from "./auto-id.ts";
export * from "./connection.ts";
export { hasRows, tablesWithRows } from "./has-rows.ts";
export { type LockWish, underLocks } from "./named-lock.ts";
export { openSqlLink, type SqlLink } from "./sql-link.ts";
export * from "./status-port.ts";
export * from "./variables.ts";
