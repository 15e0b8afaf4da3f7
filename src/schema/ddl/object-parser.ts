import type { TokenReader } from "../sql/token-reader.ts";
import type { SequenceOptions, Statement } from "./ast.ts";
import { parseTableName } from "./index-parser.ts";
import { parsePlacement } from "./options-parser.ts";
import { parseCharsetName, parseCollationName, takeCharsetWord } from "./type-parser.ts";

/** Views, sequences and databases. */
export function parseCreateDatabase(reader: TokenReader, at: number): Statement {
  const ifNotExists = reader.takeWords("IF", "NOT", "EXISTS");
  const name = reader.name("the name of the database");
  return { kind: "create database", at, name, ifNotExists, ...parseDatabaseOptions(reader) };
}

export function parseAlterDatabase(reader: TokenReader, at: number): Statement {
  const named = reader.isName() && !reader.isWord("CHARSET", "ENCRYPTION", "PLACEMENT");
  const name = named ? { name: reader.name("the name of the database") } : {};
  return { kind: "alter database", at, ...name, ...parseDatabaseOptions(reader) };
}

function parseDatabaseOptions(reader: TokenReader): { charset?: string; collate?: string } {
  const options: { charset?: string; collate?: string } = {};
  for (;;) {
    const isDefault = reader.takeWord("DEFAULT") !== undefined;
    if (takeCharsetWord(reader)) {
      reader.takeOp("=");
      options.charset = parseCharsetName(reader);
    } else if (reader.takeWord("COLLATE")) {
      reader.takeOp("=");
      options.collate = parseCollationName(reader);
    } else if (reader.takeWord("ENCRYPTION")) {
      reader.takeOp("=");
      reader.string("Y or N");
    } else if (reader.isWord("PLACEMENT")) {
      parsePlacement(reader);
    } else if (isDefault) {
      throw reader.error("an option of the database is missing here");
    } else {
      return options;
    }
  }
}

/** CREATE SEQUENCE, behind that word. */
export function parseCreateSequence(reader: TokenReader, at: number): Statement {
  const ifNotExists = reader.takeWords("IF", "NOT", "EXISTS");
  const sequence = parseTableName(reader);
  const options: SequenceOptions = {};
  while (parseSequenceOption(reader, options));
  return { kind: "create sequence", at, sequence, ifNotExists, options };
}

function parseSequenceOption(reader: TokenReader, options: SequenceOptions): boolean {
  const word = reader.token.upper;
  switch (word) {
    case "START":
      reader.advance();
      if (!reader.takeWord("WITH")) reader.takeOp("=");
      options.start = signed(reader);
      return true;
    case "INCREMENT":
      reader.advance();
      if (!reader.takeWord("BY")) reader.takeOp("=");
      options.increment = signed(reader);
      return true;
    case "MINVALUE":
    case "MAXVALUE":
      reader.advance();
      reader.takeOp("=");
      options[word === "MINVALUE" ? "minValue" : "maxValue"] = signed(reader);
      return true;
    case "CACHE":
      reader.advance();
      reader.takeOp("=");
      options.cache = signed(reader);
      return true;
    case "CYCLE":
      reader.advance();
      options.cycle = true;
      return true;
    case "COMMENT":
      reader.advance();
      reader.takeOp("=");
      options.comment = reader.string("the comment");
      return true;
    case "ENGINE":
      reader.advance();
      reader.takeOp("=");
      reader.nameOrString("the engine");
      return true;
    default:
      return parseNegation(reader, options);
  }
}

/** NO MINVALUE, NOMINVALUE and so on. */
function parseNegation(reader: TokenReader, options: SequenceOptions): boolean {
  const word = reader.takeWord("NO")
    ? reader.expectWord("MINVALUE", "MAXVALUE", "CACHE", "CYCLE")
    : reader.takeWord("NOMINVALUE", "NOMAXVALUE", "NOCACHE", "NOCYCLE")?.slice(2);
  if (word === "MINVALUE") options.minValue = "none";
  else if (word === "MAXVALUE") options.maxValue = "none";
  else if (word === "CACHE") options.cache = "none";
  else if (word === "CYCLE") options.cycle = false;
  return word !== undefined;
}

function signed(reader: TokenReader): bigint {
  const minus = reader.takeOp("-");
  if (!minus) reader.takeOp("+");
  const value = reader.integer("a number");
  return minus ? -value : value;
}

/** CREATE [OR REPLACE] [ALGORITHM] [DEFINER] [SQL SECURITY] VIEW v [(columns)] AS select, behind CREATE. */
export function parseCreateView(reader: TokenReader, at: number): Statement {
  const orReplace = reader.takeWords("OR", "REPLACE");
  let algorithm: "UNDEFINED" | "MERGE" | "TEMPTABLE" = "UNDEFINED";
  if (reader.takeWord("ALGORITHM")) {
    reader.takeOp("=");
    algorithm = reader.expectWord("UNDEFINED", "MERGE", "TEMPTABLE") as "MERGE";
  }
  const definer = reader.takeWord("DEFINER") ? parseDefiner(reader) : undefined;
  let security: "DEFINER" | "INVOKER" = "DEFINER";
  if (reader.takeWords("SQL", "SECURITY")) security = reader.expectWord("DEFINER", "INVOKER") as "DEFINER";
  // CREATE DEFINER=… PROCEDURE and the like come here too.
  if (!reader.isWord("VIEW")) throw reader.unsupported(`CREATE ${reader.token.upper}`, at);
  reader.advance();
  const view = parseTableName(reader);
  const columns = reader.isOp("(") ? parseViewColumns(reader) : undefined;
  reader.expectWord("AS");
  const { select, checkOption } = parseSelectText(reader);
  return {
    kind: "create view",
    at,
    view,
    orReplace,
    algorithm,
    security,
    select,
    checkOption,
    ...(definer && { definer }),
    ...(columns && { columns }),
  };
}

function parseDefiner(reader: TokenReader): { user: string; host: string } | undefined {
  reader.takeOp("=");
  if (reader.takeWord("CURRENT_USER")) {
    if (reader.takeOp("(")) reader.expectOp(")");
    return undefined;
  }
  const user = reader.nameOrString("a user");
  const host = reader.token.kind === "uservar" ? reader.advance().text : "%";
  return { user, host };
}

function parseViewColumns(reader: TokenReader): string[] {
  reader.expectOp("(");
  const columns = [reader.name("a column name")];
  while (reader.takeOp(",")) columns.push(reader.name("a column name"));
  reader.expectOp(")");
  return columns;
}

/** The rest of the statement as text, without WITH … CHECK OPTION and semicolons. */
function parseSelectText(reader: TokenReader): { select: string; checkOption: "CASCADED" | "LOCAL" } {
  if (!reader.isWord("SELECT", "WITH", "TABLE", "VALUES") && !reader.isOp("("))
    throw reader.error("SELECT is missing here");
  const start = reader.token.start;
  let end = start;
  while (reader.token.kind !== "eof" && !reader.isOp(";")) {
    const mark = reader.mark;
    if (reader.takeWord("WITH")) {
      const level = reader.takeWord("CASCADED", "LOCAL");
      if (reader.takeWords("CHECK", "OPTION")) {
        return { select: reader.sql.slice(start, end), checkOption: level === "LOCAL" ? "LOCAL" : "CASCADED" };
      }
      reader.reset(mark);
    }
    end = reader.advance().end;
  }
  return { select: reader.sql.slice(start, end), checkOption: "CASCADED" };
}
