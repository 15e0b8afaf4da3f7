import type { TokenReader } from "../sql/token-reader.ts";
import type { AlterSpec, ColumnDef, ColumnPosition, Constraint, Statement, TableOptions } from "./ast.ts";
import { parseColumnDef, parseDefaultValue } from "./column-parser.ts";
import { parseConstraint, parseTableName, startsConstraint } from "./index-parser.ts";
import { parseTableOption } from "./options-parser.ts";
import { parseBound, parsePartitionBy, parsePartitionDefs } from "./partition-parser.ts";
import { parseCharsetName, parseCollationName, takeCharsetWord } from "./type-parser.ts";

/** ALTER TABLE, behind these words. */
export function parseAlterTable(reader: TokenReader, at: number): Statement {
  const table = parseTableName(reader);
  const specs: AlterSpec[] = [];
  if (reader.token.kind !== "eof" && !reader.isOp(";")) {
    do {
      specs.push(parseSpec(reader));
    } while (reader.takeOp(","));
  }
  // Partitioning stands last, without a comma.
  if (reader.isWord("PARTITION", "REMOVE")) specs.push(parseSpec(reader));
  return { kind: "alter table", at, table, specs };
}

function parseSpec(reader: TokenReader): AlterSpec {
  const { upper, start: at } = reader.token;
  switch (upper) {
    case "ADD":
      reader.advance();
      return parseAdd(reader, at);
    case "DROP":
      reader.advance();
      return parseDrop(reader, at);
    case "MODIFY":
    case "CHANGE":
      return parseModify(reader, at);
    case "ALTER":
      reader.advance();
      return parseAlter(reader, at);
    case "RENAME":
      reader.advance();
      return parseRename(reader, at);
    case "CONVERT":
      return parseConvert(reader, at);
    case "PARTITION":
      reader.advance();
      return { kind: "partition by", at, partition: parsePartitionBy(reader) };
    case "REMOVE":
      reader.advance();
      if (reader.takeWord("TTL")) return { kind: "remove ttl", at };
      reader.expectWord("PARTITIONING");
      return { kind: "remove partitioning", at };
    case "TRUNCATE":
    case "REORGANIZE":
    case "COALESCE":
    case "EXCHANGE":
    case "FIRST":
    case "LAST":
    case "MERGE":
      return parsePartitionSpec(reader, at);
    case "ALGORITHM":
    case "LOCK":
      reader.advance();
      reader.takeOp("=");
      reader.nameAfterDot("a word");
      return { kind: "nothing", at };
    case "ENABLE":
    case "DISABLE":
      reader.advance();
      reader.expectWord("KEYS");
      return { kind: "nothing", at };
    case "ORDER":
      reader.advance();
      reader.expectWord("BY");
      reader.name("a column name");
      reader.takeWord("ASC", "DESC");
      return { kind: "nothing", at };
    case "CACHE":
    case "NOCACHE":
      reader.advance();
      return { kind: "cache", at, cached: upper === "CACHE" };
    case "DISCARD":
    case "IMPORT":
    case "SET":
    case "SECONDARY_LOAD":
    case "SECONDARY_UNLOAD":
    case "ATTRIBUTES":
    case "COMPACT":
    case "SPLIT":
      throw reader.unsupported(`ALTER TABLE … ${upper}`);
    case "WITH":
    case "WITHOUT":
      reader.advance();
      reader.expectWord("VALIDATION");
      return { kind: "nothing", at };
  }
  if (reader.isWord("FORCE") && !["AUTO_INCREMENT", "AUTO_RANDOM_BASE"].includes(reader.peek().upper)) {
    reader.advance();
    return { kind: "nothing", at };
  }
  return parseOptions(reader, at);
}

function parseOptions(reader: TokenReader, at: number): AlterSpec {
  const options: TableOptions = {};
  if (!parseTableOption(reader, options)) throw reader.error("a change of the table is missing here");
  while (parseTableOption(reader, options));
  return { kind: "options", at, options };
}

function parseAdd(reader: TokenReader, at: number): AlterSpec {
  if (reader.isWord("PARTITION") && reader.peek().upper !== "BY") return parseAddPartition(reader, at);
  if (startsConstraint(reader)) return { kind: "add constraint", at, constraint: parseConstraint(reader) };
  reader.takeWord("COLUMN");
  const ifNotExists = reader.takeWords("IF", "NOT", "EXISTS");
  const columns: ColumnDef[] = [];
  const constraints: Constraint[] = [];
  if (!reader.takeOp("(")) {
    columns.push(parseColumnDef(reader));
    return {
      kind: "add columns",
      at,
      columns,
      position: parsePosition(reader) ?? { place: "last" },
      ifNotExists,
      constraints,
    };
  }
  do {
    if (startsConstraint(reader)) constraints.push(parseConstraint(reader));
    else columns.push(parseColumnDef(reader));
  } while (reader.takeOp(","));
  reader.expectOp(")");
  return { kind: "add columns", at, columns, position: { place: "last" }, ifNotExists, constraints };
}

function parsePosition(reader: TokenReader): ColumnPosition | undefined {
  if (reader.takeWord("FIRST")) return { place: "first" };
  if (reader.takeWord("AFTER")) return { place: "after", column: reader.name("a column name") };
  return undefined;
}

function parseAddPartition(reader: TokenReader, at: number): AlterSpec {
  reader.advance();
  const ifNotExists = reader.takeWords("IF", "NOT", "EXISTS");
  reader.takeWord("NO_WRITE_TO_BINLOG", "LOCAL");
  if (reader.takeWord("PARTITIONS")) {
    const count = reader.smallInteger("the number of partitions", 0xffff);
    return { kind: "add partition", at, definitions: [], count, ifNotExists };
  }
  return { kind: "add partition", at, definitions: parsePartitionDefs(reader), ifNotExists };
}

function parseDrop(reader: TokenReader, at: number): AlterSpec {
  const ifExists = (): boolean => reader.takeWords("IF", "EXISTS");
  if (reader.takeWord("PRIMARY")) {
    reader.expectWord("KEY");
    return { kind: "drop primary", at };
  }
  if (reader.takeWord("INDEX", "KEY")) {
    return { kind: "drop index", at, ifExists: ifExists(), name: reader.name("the name of the index") };
  }
  if (reader.takeWord("FOREIGN")) {
    reader.expectWord("KEY");
    return { kind: "drop foreign", at, ifExists: ifExists(), name: reader.name("the name of the foreign key") };
  }
  if (reader.takeWord("CHECK", "CONSTRAINT")) {
    return { kind: "drop check", at, name: reader.name("the name of the constraint") };
  }
  if (reader.takeWord("PARTITION")) {
    return { kind: "drop partition", at, ifExists: ifExists(), names: parseNames(reader) };
  }
  reader.takeWord("COLUMN");
  const exists = ifExists();
  const name = reader.name("a column name");
  reader.takeWord("RESTRICT", "CASCADE");
  return { kind: "drop column", at, ifExists: exists, name };
}

function parseNames(reader: TokenReader): string[] {
  const names = [reader.name("the name of a partition")];
  while (reader.takeOp(",")) names.push(reader.name("the name of a partition"));
  return names;
}

function parseModify(reader: TokenReader, at: number): AlterSpec {
  const change = reader.advance().upper === "CHANGE";
  reader.takeWord("COLUMN");
  const ifExists = reader.takeWords("IF", "EXISTS");
  const from = change ? reader.name("a column name") : undefined;
  const column = parseColumnDef(reader);
  const position = parsePosition(reader);
  return { kind: "modify column", at, from: from ?? column.name, column, ifExists, ...(position && { position }) };
}

function parseAlter(reader: TokenReader, at: number): AlterSpec {
  if (reader.takeWord("INDEX")) {
    const name = reader.name("the name of the index");
    return { kind: "index visibility", at, name, invisible: reader.expectWord("VISIBLE", "INVISIBLE") === "INVISIBLE" };
  }
  if (reader.isWord("CHECK", "CONSTRAINT")) throw reader.unsupported("ALTER CHECK");
  reader.takeWord("COLUMN");
  const column = reader.name("a column name");
  if (reader.takeWords("DROP", "DEFAULT")) return { kind: "set default", at, column };
  reader.expectWords("SET", "DEFAULT");
  return { kind: "set default", at, column, expr: parseDefaultValue(reader) };
}

function parseRename(reader: TokenReader, at: number): AlterSpec {
  if (reader.takeWord("COLUMN")) {
    const from = reader.name("a column name");
    reader.expectWord("TO");
    return { kind: "rename column", at, from, to: reader.name("a column name") };
  }
  if (reader.takeWord("INDEX", "KEY")) {
    const from = reader.name("the name of the index");
    reader.expectWord("TO");
    return { kind: "rename index", at, from, to: reader.name("the name of the index") };
  }
  if (!reader.takeWord("TO", "AS")) reader.takeOp("=");
  return { kind: "rename table", at, to: parseTableName(reader) };
}

function parseConvert(reader: TokenReader, at: number): AlterSpec {
  reader.expectWords("CONVERT", "TO");
  if (!takeCharsetWord(reader)) throw reader.error("CHARACTER SET is missing here");
  const spec: AlterSpec = { kind: "convert charset", at };
  if (!reader.takeWord("DEFAULT")) spec.charset = parseCharsetName(reader);
  if (reader.takeWord("COLLATE")) {
    reader.takeOp("=");
    spec.collate = parseCollationName(reader);
  }
  return spec;
}

function parsePartitionSpec(reader: TokenReader, at: number): AlterSpec {
  const word = reader.advance().upper;
  switch (word) {
    case "FIRST":
    case "MERGE":
      if (word === "MERGE") reader.expectWord("FIRST");
      return { kind: "first partition", at, lessThan: parseBound(reader) };
    case "LAST":
      return { kind: "last partition", at, lessThan: parseBound(reader) };
  }
  reader.expectWord("PARTITION");
  if (word === "EXCHANGE") {
    const partition = reader.name("the name of a partition");
    reader.expectWords("WITH", "TABLE");
    const table = parseTableName(reader);
    if (reader.takeWord("WITH", "WITHOUT")) reader.expectWord("VALIDATION");
    return { kind: "exchange partition", at, partition, table };
  }
  reader.takeWord("NO_WRITE_TO_BINLOG", "LOCAL");
  if (word === "COALESCE") {
    return { kind: "coalesce partition", at, count: reader.smallInteger("the number of partitions", 0xffff) };
  }
  if (word === "TRUNCATE") {
    return { kind: "truncate partition", at, names: reader.takeWord("ALL") ? "all" : parseNames(reader) };
  }
  const names = parseNames(reader);
  reader.expectWord("INTO");
  return { kind: "reorganize partition", at, names, definitions: parsePartitionDefs(reader) };
}
