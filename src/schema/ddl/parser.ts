import type { SqlMode } from "../sql/sql-mode.ts";
import { TokenReader } from "../sql/token-reader.ts";
import { parseAlterTable } from "./alter-parser.ts";
import type { Constraint, CreateTable, Statement, TableName } from "./ast.ts";
import { parseColumnDef } from "./column-parser.ts";
import { parseConstraint, parseIndexOptions, parseKeyParts, parseTableName, startsConstraint } from "./index-parser.ts";
import { parseAlterDatabase, parseCreateDatabase, parseCreateSequence, parseCreateView } from "./object-parser.ts";
import { parseTableOptions } from "./options-parser.ts";
import { parsePartitionBy } from "./partition-parser.ts";

/**
 * Parses one statement (a semicolon behind it is allowed). Throws Levin:Schema:ErrSyntax with the place, or ErrUnsupported for
 * statements that do not describe a schema.
 */
export function parseStatement(sql: string, mode: SqlMode): Statement {
  const reader = new TokenReader(sql, mode);
  const statement = parseOne(reader);
  while (reader.takeOp(";"));
  if (reader.token.kind !== "eof") throw reader.error("the statement should end here");
  return statement;
}

function parseOne(reader: TokenReader): Statement {
  const at = reader.token.start;
  switch (reader.token.upper) {
    case "CREATE":
      reader.advance();
      return parseCreate(reader, at);
    case "ALTER":
      reader.advance();
      if (reader.takeWord("DATABASE", "SCHEMA")) return parseAlterDatabase(reader, at);
      reader.takeWord("IGNORE");
      if (!reader.isWord("TABLE")) break;
      reader.advance();
      return parseAlterTable(reader, at);
    case "DROP":
      reader.advance();
      return parseDrop(reader, at);
    case "RENAME":
      if (reader.peek().upper !== "TABLE") break;
      return parseRename(reader, at);
    case "TRUNCATE":
      reader.advance();
      reader.takeWord("TABLE");
      return { kind: "truncate table", at, table: parseTableName(reader) };
    case "USE":
      reader.advance();
      return { kind: "use", at, name: reader.name("a database") };
  }
  if (reader.token.kind === "eof") throw reader.error("a statement is missing here");
  if (reader.token.kind !== "word") throw reader.error("a statement should begin here");
  throw reader.unsupported("a statement that does not describe a schema", at);
}

function parseCreate(reader: TokenReader, at: number): Statement {
  const { upper } = reader.token;
  switch (upper) {
    case "TABLE":
    case "TEMPORARY":
    case "GLOBAL":
      return parseCreateTable(reader, at);
    case "INDEX":
    case "UNIQUE":
    case "FULLTEXT":
    case "SPATIAL":
    case "VECTOR":
    case "COLUMNAR":
      return parseCreateIndex(reader, at);
    case "OR":
    case "ALGORITHM":
    case "DEFINER":
    case "SQL":
    case "VIEW":
      return parseCreateView(reader, at);
    case "SEQUENCE":
      reader.advance();
      return parseCreateSequence(reader, at);
    case "DATABASE":
    case "SCHEMA":
      reader.advance();
      return parseCreateDatabase(reader, at);
  }
  if (!OTHER_OBJECTS.has(upper)) throw reader.error("a kind of object to create is missing here");
  throw reader.unsupported(`CREATE ${upper}`, at);
}

/** What MySQL or TiDB can create and drop, but is no part of a schema to levin. */
const OTHER_OBJECTS = new Set(
  "PROCEDURE FUNCTION TRIGGER EVENT USER ROLE SERVER TABLESPACE LOGFILE UNDO BINDING SESSION PLACEMENT RESOURCE STATISTICS STATS".split(
    " ",
  ),
);

function parseCreateTable(reader: TokenReader, at: number): CreateTable {
  const word = reader.takeWord("TEMPORARY", "GLOBAL");
  if (word === "GLOBAL") reader.expectWord("TEMPORARY");
  reader.expectWord("TABLE");
  const ifNotExists = reader.takeWords("IF", "NOT", "EXISTS");
  const create: CreateTable = {
    kind: "create table",
    at,
    table: parseTableName(reader),
    ifNotExists,
    columns: [],
    constraints: [],
    options: {},
    ...(word !== undefined && { temporary: word === "GLOBAL" ? "global" : "local" }),
  };
  if (reader.takeWord("LIKE")) create.like = parseTableName(reader);
  else if (reader.isOp("(") && reader.peek().upper === "LIKE") {
    reader.advance();
    reader.advance();
    create.like = parseTableName(reader);
    reader.expectOp(")");
  } else {
    parseTableBody(reader, create);
  }
  if (reader.takeWords("ON", "COMMIT")) {
    reader.expectWord("DELETE", "PRESERVE");
    reader.expectWord("ROWS");
  }
  return create;
}

function parseTableBody(reader: TokenReader, create: CreateTable): void {
  if (reader.isWord("SELECT", "AS", "WITH")) throw reader.unsupported("CREATE TABLE … SELECT");
  if (!reader.isOp("(")) throw reader.error("the columns are missing here");
  reader.advance();
  if (reader.isWord("SELECT", "WITH", "TABLE", "VALUES")) throw reader.unsupported("CREATE TABLE … SELECT");
  do {
    if (startsConstraint(reader)) create.constraints.push(parseConstraint(reader));
    else create.columns.push(parseColumnDef(reader));
  } while (reader.takeOp(","));
  reader.expectOp(")");
  parseTableOptions(reader, create.options);
  if (reader.takeWord("PARTITION")) create.partition = parsePartitionBy(reader);
  parseTableOptions(reader, create.options);
  if (reader.isWord("AS", "SELECT", "IGNORE", "REPLACE", "WITH", "VALUES")) {
    throw reader.unsupported("CREATE TABLE … SELECT");
  }
}

const INDEX_KINDS: Record<string, "unique" | "fulltext" | "spatial" | "vector"> = {
  UNIQUE: "unique",
  FULLTEXT: "fulltext",
  SPATIAL: "spatial",
  VECTOR: "vector",
  COLUMNAR: "vector",
};

/** CREATE [UNIQUE] INDEX [IF NOT EXISTS] name [USING …] ON t (parts) options. */
function parseCreateIndex(reader: TokenReader, at: number): Statement {
  const word = reader.takeWord("UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "COLUMNAR");
  reader.expectWord("INDEX");
  const ifNotExists = reader.takeWords("IF", "NOT", "EXISTS");
  const name = reader.name("the name of the index");
  const options = parseIndexOptions(reader);
  reader.expectWord("ON");
  const table = parseTableName(reader);
  const parts = parseKeyParts(reader);
  parseIndexOptions(reader, options);
  skipLockAndAlgorithm(reader);
  const constraint: Constraint = { kind: word ? INDEX_KINDS[word]! : "key", at, name, ifNotExists, parts, options };
  return { kind: "create index", at, table, constraint };
}

/** ALGORITHM and LOCK say how, not what. */
function skipLockAndAlgorithm(reader: TokenReader): void {
  while (reader.takeWord("ALGORITHM", "LOCK")) {
    reader.takeOp("=");
    reader.nameAfterDot("a word");
  }
}

function parseDrop(reader: TokenReader, at: number): Statement {
  if (reader.takeWord("DATABASE", "SCHEMA")) {
    const ifExists = reader.takeWords("IF", "EXISTS");
    return { kind: "drop database", at, name: reader.name("a database"), ifExists };
  }
  if (reader.takeWord("INDEX")) {
    const ifExists = reader.takeWords("IF", "EXISTS");
    const name = reader.name("the name of the index");
    reader.expectWord("ON");
    const table = parseTableName(reader);
    skipLockAndAlgorithm(reader);
    return { kind: "drop index", at, table, name, ifExists };
  }
  if (reader.takeWord("GLOBAL")) reader.expectWord("TEMPORARY");
  else reader.takeWord("TEMPORARY");
  const { upper } = reader.token;
  if (!reader.takeWord("TABLE", "TABLES", "VIEW", "SEQUENCE")) {
    if (!OTHER_OBJECTS.has(upper)) throw reader.error("a kind of object to drop is missing here");
    throw reader.unsupported(`DROP ${upper}`, at);
  }
  const ifExists = reader.takeWords("IF", "EXISTS");
  const tables = [parseTableName(reader)];
  while (reader.takeOp(",")) tables.push(parseTableName(reader));
  reader.takeWord("RESTRICT", "CASCADE");
  const what = upper === "VIEW" ? "view" : upper === "SEQUENCE" ? "sequence" : "table";
  return { kind: "drop table", at, tables, ifExists, what };
}

function parseRename(reader: TokenReader, at: number): Statement {
  reader.advance();
  reader.advance();
  const pairs: { from: TableName; to: TableName }[] = [];
  do {
    const from = parseTableName(reader);
    reader.expectWord("TO");
    pairs.push({ from, to: parseTableName(reader) });
  } while (reader.takeOp(","));
  return { kind: "rename table", at, pairs };
}
