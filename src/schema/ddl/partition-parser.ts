import type { Expr } from "../sql/expr.ts";
import { parseExpression } from "../sql/expr-parser.ts";
import { TIME_UNITS } from "../sql/keywords.ts";
import type { TokenReader } from "../sql/token-reader.ts";
import type { PartitionBy, PartitionDef, PartitionInterval, TableOptions } from "./ast.ts";
import { skipParentheses } from "./index-parser.ts";
import { parsePlacement, parseTableOption } from "./options-parser.ts";

/** PARTITION BY …, behind the word PARTITION. */
export function parsePartitionBy(reader: TokenReader): PartitionBy {
  const at = reader.token.start;
  reader.expectWord("BY");
  const linear = reader.takeWord("LINEAR") !== undefined;
  const word = reader.expectWord("RANGE", "LIST", "HASH", "KEY");
  const type = word.toLowerCase() as PartitionBy["type"];
  const by: PartitionBy = { at, type, linear, definitions: [] };
  if (word === "KEY") {
    if (reader.takeWord("ALGORITHM")) {
      reader.takeOp("=");
      reader.integer("the algorithm");
    }
    by.columns = parseNames(reader, true);
  } else if ((word === "RANGE" || word === "LIST") && reader.takeWord("COLUMNS")) {
    by.columns = parseNames(reader, false);
  } else {
    reader.expectOp("(");
    by.expr = parseExpression(reader);
    reader.expectOp(")");
  }
  if (word === "RANGE" && reader.isWord("INTERVAL")) by.interval = parseInterval(reader);
  if (reader.takeWord("PARTITIONS")) by.count = reader.smallInteger("the number of partitions", 0xffffffff);
  skipSubpartitions(reader);
  if (reader.isOp("(")) by.definitions = parsePartitionDefs(reader);
  if (reader.takeWords("UPDATE", "INDEXES")) by.updateIndexes = parseUpdateIndexes(reader);
  return by;
}

function parseNames(reader: TokenReader, mayBeEmpty: boolean): string[] {
  reader.expectOp("(");
  const names: string[] = [];
  if (mayBeEmpty && reader.takeOp(")")) return names;
  do {
    names.push(reader.name("a column name"));
  } while (reader.takeOp(","));
  reader.expectOp(")");
  return names;
}

/** SUBPARTITION BY is read and left out, as TiDB does. */
function skipSubpartitions(reader: TokenReader): void {
  if (!reader.takeWord("SUBPARTITION")) return;
  reader.expectWord("BY");
  reader.takeWord("LINEAR");
  reader.expectWord("HASH", "KEY");
  skipParentheses(reader);
  if (reader.takeWord("SUBPARTITIONS")) reader.integer("the number of partitions");
}

/** INTERVAL (n [unit]) FIRST PARTITION LESS THAN (…) LAST PARTITION LESS THAN (…) [NULL PARTITION] [MAXVALUE PARTITION]. */
function parseInterval(reader: TokenReader): PartitionInterval {
  const at = reader.advance().start;
  reader.expectOp("(");
  const amount = parseExpression(reader);
  const interval: PartitionInterval = { at, amount, nullPartition: false, maxvaluePartition: false };
  if (TIME_UNITS.has(reader.token.upper)) interval.unit = reader.advance().upper;
  reader.expectOp(")");
  if (reader.takeWord("FIRST")) {
    interval.first = parseBound(reader);
    reader.expectWord("LAST");
    interval.last = parseBound(reader);
    if (reader.takeWords("NULL", "PARTITION")) interval.nullPartition = true;
    if (reader.takeWords("MAXVALUE", "PARTITION")) interval.maxvaluePartition = true;
  }
  return interval;
}

/** PARTITION LESS THAN (expr). */
export function parseBound(reader: TokenReader): Expr {
  reader.expectWords("PARTITION", "LESS", "THAN");
  reader.expectOp("(");
  const expr = parseExpression(reader);
  reader.expectOp(")");
  return expr;
}

/** (PARTITION p0 …, PARTITION p1 …). */
export function parsePartitionDefs(reader: TokenReader): PartitionDef[] {
  reader.expectOp("(");
  const definitions: PartitionDef[] = [];
  do {
    definitions.push(parsePartitionDef(reader));
  } while (reader.takeOp(","));
  reader.expectOp(")");
  return definitions;
}

function parsePartitionDef(reader: TokenReader): PartitionDef {
  const at = reader.token.start;
  reader.expectWord("PARTITION");
  const definition: PartitionDef = { at, name: reader.name("the name of the partition") };
  if (reader.takeWord("VALUES")) {
    if (reader.takeWord("LESS")) {
      reader.expectWord("THAN");
      definition.lessThan = parseLessThan(reader);
    } else {
      reader.expectWord("IN");
      definition.inValues = parseInValues(reader);
    }
  } else if (reader.takeWord("DEFAULT")) {
    definition.inValues = [["default"]];
  }
  parseDefinitionOptions(reader, definition);
  if (reader.isOp("(")) skipParentheses(reader);
  return definition;
}

function parseLessThan(reader: TokenReader): (Expr | "maxvalue")[] {
  if (reader.takeWord("MAXVALUE")) return ["maxvalue"];
  reader.expectOp("(");
  const values: (Expr | "maxvalue")[] = [];
  do {
    values.push(reader.takeWord("MAXVALUE") ? "maxvalue" : parseExpression(reader));
  } while (reader.takeOp(","));
  reader.expectOp(")");
  return values;
}

/** Rows of values; a row in parentheses has several columns. */
function parseInValues(reader: TokenReader): (Expr | "default")[][] {
  reader.expectOp("(");
  const rows: (Expr | "default")[][] = [];
  do {
    if (reader.isWord("DEFAULT") && reader.peek().text !== "(") {
      reader.advance();
      rows.push(["default"]);
    } else {
      const expr = parseExpression(reader);
      rows.push(expr.kind === "row" ? expr.items : [expr]);
    }
  } while (reader.takeOp(","));
  reader.expectOp(")");
  return rows;
}

function parseDefinitionOptions(reader: TokenReader, definition: PartitionDef): void {
  for (;;) {
    if (reader.takeWord("COMMENT")) {
      reader.takeOp("=");
      definition.comment = reader.string("the comment");
    } else if (reader.isWord("PLACEMENT")) {
      definition.placementPolicy = parsePlacement(reader);
    } else {
      const unused: TableOptions = {};
      if (!reader.isWord("ENGINE", "STORAGE", "DATA", "INDEX", "MAX_ROWS", "MIN_ROWS", "TABLESPACE", "NODEGROUP"))
        return;
      if (reader.isWords("STORAGE", "ENGINE")) reader.advance();
      parseTableOption(reader, unused);
    }
  }
}

function parseUpdateIndexes(reader: TokenReader): { name: string; global: boolean }[] {
  reader.expectOp("(");
  const indexes: { name: string; global: boolean }[] = [];
  do {
    const name = reader.name("the name of an index");
    indexes.push({ name, global: reader.expectWord("GLOBAL", "LOCAL") === "GLOBAL" });
  } while (reader.takeOp(","));
  reader.expectOp(")");
  return indexes;
}
