/**
 * The server side of the MySQL protocol. Our own, although `mysql2` has one: that guesses the types of a prepared statement's parameters,
 * cannot send binary values, has no TLS and takes `SET` for a prepared statement.
 */

export { type ResultColumn, type ResultValue, SqlError, type StatementResult, Status } from "./result.ts";
export { type ClientFacts, IN_PROCESS, listenMysql, type MysqlServerOptions, type SqlSession } from "./server.ts";
export { bytesOfSqlText, textOfSqlBytes } from "./sql-text.ts";
