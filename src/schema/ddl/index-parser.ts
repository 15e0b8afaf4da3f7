import { parseExpression } from "../sql/expr-parser.ts";
import type { TokenReader } from "../sql/token-reader.ts";
import type { Constraint, IndexOptions, KeyPart, Reference, ReferenceAction, TableName } from "./ast.ts";

/** `t` or `s.t`. */
export function parseTableName(reader: TokenReader): TableName {
  const at = reader.token.start;
  const first = reader.name("a table name");
  if (!reader.takeOp(".")) return { name: first, at };
  return { schema: first, name: reader.nameAfterDot("a table name"), at };
}

/** (a, b(3) DESC, (a + 1)). */
export function parseKeyParts(reader: TokenReader): KeyPart[] {
  reader.expectOp("(");
  const parts: KeyPart[] = [];
  do {
    parts.push(parseKeyPart(reader));
  } while (reader.takeOp(","));
  reader.expectOp(")");
  return parts;
}

function parseKeyPart(reader: TokenReader): KeyPart {
  const part: KeyPart = { at: reader.token.start };
  if (reader.takeOp("(")) {
    part.expr = parseExpression(reader);
    reader.expectOp(")");
  } else {
    part.column = reader.name("a column name");
    if (reader.takeOp(".")) part.column = reader.nameAfterDot("a column name");
    if (reader.takeOp("(")) {
      part.length = reader.smallInteger("the length of the prefix", 0x7fffffff);
      reader.expectOp(")");
    }
  }
  if (reader.takeWord("DESC")) part.descending = true;
  else reader.takeWord("ASC");
  return part;
}

/** Options behind, or USING before, the columns of an index; all may be repeated. */
export function parseIndexOptions(reader: TokenReader, options: IndexOptions = {}): IndexOptions {
  while (parseIndexOption(reader, options));
  return options;
}

function parseIndexOption(reader: TokenReader, options: IndexOptions): boolean {
  const at = reader.token.start;
  switch (reader.token.upper) {
    case "USING":
    case "TYPE":
      reader.advance();
      options.using = reader.expectWord("BTREE", "HASH", "RTREE", "HYPO").toLowerCase() as "btree";
      return true;
    case "COMMENT":
      reader.advance();
      options.comment = reader.string("the comment");
      return true;
    case "VISIBLE":
    case "INVISIBLE":
      options.invisible = reader.advance().upper === "INVISIBLE";
      return true;
    case "GLOBAL":
    case "LOCAL":
      options.global = reader.advance().upper === "GLOBAL";
      return true;
    case "CLUSTERED":
    case "NONCLUSTERED":
      options.clustered = reader.advance().upper === "CLUSTERED";
      return true;
    case "KEY_BLOCK_SIZE":
      reader.advance();
      reader.takeOp("=");
      reader.integer("the size");
      return true;
    case "WITH":
      reader.advance();
      reader.expectWord("PARSER");
      reader.name("a parser");
      return true;
    case "WHERE":
      reader.advance();
      options.condition = { at, expr: parseExpression(reader) };
      return true;
    case "PRE_SPLIT_REGIONS":
      reader.advance();
      reader.takeOp("=");
      if (reader.isOp("(")) skipParentheses(reader);
      else reader.integer("the number of regions");
      return true;
    case "ADD_COLUMNAR_REPLICA_ON_DEMAND":
      reader.advance();
      return true;
    default:
      return false;
  }
}

/** Skips a parenthesis with all that is in it. */
export function skipParentheses(reader: TokenReader): void {
  let depth = 0;
  do {
    if (reader.isOp("(")) depth++;
    else if (reader.isOp(")")) depth--;
    if (reader.token.kind === "eof") throw reader.error('")" is missing here');
    reader.advance();
  } while (depth > 0);
}

/** True where a constraint of a table begins rather than a column. */
export function startsConstraint(reader: TokenReader): boolean {
  const { kind, upper } = reader.token;
  if (kind !== "word") return false;
  if (["PRIMARY", "KEY", "INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK", "CONSTRAINT"].includes(upper)) {
    return true;
  }
  return (
    (upper === "VECTOR" || upper === "COLUMNAR") && (reader.peek().upper === "INDEX" || reader.peek().upper === "KEY")
  );
}

/** A constraint of CREATE TABLE or ALTER TABLE … ADD. */
export function parseConstraint(reader: TokenReader): Constraint {
  const at = reader.token.start;
  let symbol: string | undefined;
  if (reader.takeWord("CONSTRAINT") && !reader.isWord("PRIMARY", "UNIQUE", "FOREIGN", "CHECK")) {
    symbol = reader.name("the name of the constraint");
  }
  const word = reader.expectWord(
    "PRIMARY",
    "KEY",
    "INDEX",
    "UNIQUE",
    "FULLTEXT",
    "SPATIAL",
    "FOREIGN",
    "CHECK",
    "VECTOR",
    "COLUMNAR",
  );
  if (word === "CHECK") return { kind: "check", at, ...named(symbol), ...parseCheck(reader) };
  if (word === "FOREIGN") return parseForeign(reader, at, symbol);
  if (word === "PRIMARY") reader.expectWord("KEY");
  else if (word !== "KEY" && word !== "INDEX") reader.takeWord("KEY", "INDEX");
  const ifNotExists = reader.takeWords("IF", "NOT", "EXISTS");
  const options: IndexOptions = {};
  let name = symbol;
  // `KEY USING (a)` has no name, `KEY using_ (a)` has: USING is reserved, TYPE is not.
  if (reader.isName() && !(reader.isWord("TYPE") && reader.peek().text !== "("))
    name = reader.name("the name of the index");
  parseIndexOptions(reader, options);
  const parts = parseKeyParts(reader);
  parseIndexOptions(reader, options);
  return { kind: KINDS[word]!, at, ...named(name), ...(ifNotExists && { ifNotExists }), parts, options };
}

const KINDS: Record<string, "primary" | "key" | "unique" | "fulltext" | "spatial" | "vector"> = {
  PRIMARY: "primary",
  KEY: "key",
  INDEX: "key",
  UNIQUE: "unique",
  FULLTEXT: "fulltext",
  SPATIAL: "spatial",
  VECTOR: "vector",
  COLUMNAR: "vector",
};

function named(name: string | undefined): { name?: string } {
  return name === undefined ? {} : { name };
}

/** `(expr) [NOT] ENFORCED`, behind CHECK. */
export function parseCheck(reader: TokenReader): { expr: ReturnType<typeof parseExpression>; enforced: boolean } {
  reader.expectOp("(");
  const expr = parseExpression(reader);
  reader.expectOp(")");
  const not = reader.isWords("NOT", "ENFORCED") && reader.takeWord("NOT") !== undefined;
  reader.takeWord("ENFORCED");
  return { expr, enforced: !not };
}

function parseForeign(reader: TokenReader, at: number, symbol: string | undefined): Constraint {
  reader.expectWord("KEY");
  const ifNotExists = reader.takeWords("IF", "NOT", "EXISTS");
  const index = reader.isName() ? reader.name("the name of the index") : undefined;
  const parts = parseKeyParts(reader);
  const reference = parseReference(reader);
  return { kind: "foreign", at, ...named(symbol ?? index), ...(ifNotExists && { ifNotExists }), parts, reference };
}

/** REFERENCES t (a) [MATCH …] [ON DELETE …] [ON UPDATE …]. */
export function parseReference(reader: TokenReader): Reference {
  reader.expectWord("REFERENCES");
  const table = parseTableName(reader);
  const columns = reader.isOp("(") ? parseKeyParts(reader) : [];
  if (reader.takeWord("MATCH")) reader.expectWord("FULL", "PARTIAL", "SIMPLE");
  const reference: Reference = { table, columns, onDelete: "none", onUpdate: "none" };
  while (reader.isWord("ON")) {
    reader.advance();
    const side = reader.expectWord("DELETE", "UPDATE") === "DELETE" ? "onDelete" : "onUpdate";
    reference[side] = parseAction(reader);
  }
  return reference;
}

function parseAction(reader: TokenReader): ReferenceAction {
  const word = reader.expectWord("RESTRICT", "CASCADE", "SET", "NO");
  if (word === "RESTRICT" || word === "CASCADE") return word.toLowerCase() as ReferenceAction;
  if (word === "NO") {
    reader.expectWord("ACTION");
    return "no action";
  }
  return reader.expectWord("NULL", "DEFAULT") === "NULL" ? "set null" : "set default";
}
