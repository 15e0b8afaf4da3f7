import { parseTimeUnit } from "../sql/expr-function.ts";
import { parseExpression } from "../sql/expr-parser.ts";
import type { TokenReader } from "../sql/token-reader.ts";
import type { TableOptions } from "./ast.ts";
import { skipParentheses } from "./index-parser.ts";
import { parseCharsetName, parseCollationName, takeCharsetWord } from "./type-parser.ts";

/** Options whose value is read and has no meaning here. */
const IGNORED = new Set(
  `ENGINE AVG_ROW_LENGTH CHECKSUM TABLE_CHECKSUM CONNECTION KEY_BLOCK_SIZE MAX_ROWS MIN_ROWS PASSWORD DELAY_KEY_WRITE ROW_FORMAT
STATS_PERSISTENT STATS_AUTO_RECALC STATS_SAMPLE_PAGES STATS_BUCKETS STATS_TOPN STATS_SAMPLE_RATE STATS_COL_CHOICE STATS_COL_LIST
PACK_KEYS INSERT_METHOD SECONDARY_ENGINE SECONDARY_ENGINE_ATTRIBUTE ENGINE_ATTRIBUTE TABLESPACE NODEGROUP ENCRYPTION
AUTOEXTEND_SIZE PAGE_CHECKSUM PAGE_COMPRESSED PAGE_COMPRESSION_LEVEL TRANSACTIONAL IETF_QUOTES STORAGE AFFINITY`.split(
    /\s+/,
  ),
);

/** All options at this place; commas between them are optional. */
export function parseTableOptions(reader: TokenReader, options: TableOptions = {}): TableOptions {
  while (parseTableOption(reader, options)) reader.takeOp(",");
  return options;
}

/** One option; false (and nothing taken) where none stands. */
export function parseTableOption(reader: TokenReader, options: TableOptions): boolean {
  const { upper, start: at, kind } = reader.token;
  if (kind !== "word") return false;
  const following = upper === "DEFAULT" ? reader.peek() : reader.token;
  if (["CHARSET", "CHARACTER", "CHAR", "COLLATE"].includes(following.upper)) {
    reader.takeWord("DEFAULT");
    parseCharsetOption(reader, options);
    return true;
  }
  if (upper === "UNION") {
    reader.advance();
    reader.takeOp("=");
    skipParentheses(reader);
    return true;
  }
  if ((upper === "DATA" || upper === "INDEX") && reader.peek().upper === "DIRECTORY") {
    reader.advance();
    reader.advance();
    reader.takeOp("=");
    reader.string("the directory");
    return true;
  }
  if (upper === "PLACEMENT" || (upper === "DEFAULT" && following.upper === "PLACEMENT")) {
    reader.takeWord("DEFAULT");
    options.placementPolicy = parsePlacement(reader);
    return true;
  }
  if (IGNORED.has(upper)) {
    reader.advance();
    reader.takeOp("=");
    skipValue(reader);
    return true;
  }
  return parseKnownOption(reader, options, upper, at);
}

function parseCharsetOption(reader: TokenReader, options: TableOptions): void {
  const at = reader.token.start;
  if (takeCharsetWord(reader)) {
    reader.takeOp("=");
    options.charset = { name: parseCharsetName(reader), at };
  } else {
    reader.expectWord("COLLATE");
    reader.takeOp("=");
    options.collate = { name: parseCollationName(reader), at };
  }
}

/** PLACEMENT POLICY [=] name | SET DEFAULT. */
export function parsePlacement(reader: TokenReader): string {
  reader.expectWords("PLACEMENT", "POLICY");
  reader.takeOp("=");
  if (reader.takeWords("SET", "DEFAULT")) return "";
  return reader.takeWord("DEFAULT") ? "" : reader.nameOrString("the placement policy");
}

function parseKnownOption(reader: TokenReader, options: TableOptions, upper: string, at: number): boolean {
  const forced = upper === "FORCE" && ["AUTO_INCREMENT", "AUTO_RANDOM_BASE"].includes(reader.peek().upper);
  if (forced) {
    reader.advance();
    options.autoIncrementForced = true;
  }
  const word = reader.token.upper;
  if (!KNOWN.has(word)) return false;
  reader.advance();
  reader.takeOp("=");
  switch (word) {
    case "AUTO_INCREMENT":
      options.autoIncrement = reader.integer("the number");
      break;
    case "AUTO_ID_CACHE":
      options.autoIdCache = reader.integer("the number");
      break;
    case "AUTO_RANDOM_BASE":
      options.autoRandomBase = reader.integer("the number");
      break;
    case "SHARD_ROW_ID_BITS":
      options.shardRowIdBits = reader.smallInteger("the number of bits", 255);
      break;
    case "PRE_SPLIT_REGIONS":
      options.preSplitRegions = reader.smallInteger("the number", 255);
      break;
    case "COMMENT":
      options.comment = reader.string("the comment");
      break;
    case "COMPRESSION":
      options.compression = reader.string("the compression");
      break;
    case "TTL":
      options.ttl = parseTtl(reader, at);
      break;
    case "TTL_ENABLE":
      options.ttlEnable = reader.string("ON or OFF").toUpperCase() === "ON";
      break;
    case "TTL_JOB_INTERVAL":
      options.ttlJobInterval = reader.string("an interval");
      break;
  }
  return true;
}

const KNOWN = new Set(
  `AUTO_INCREMENT AUTO_ID_CACHE AUTO_RANDOM_BASE SHARD_ROW_ID_BITS PRE_SPLIT_REGIONS COMMENT COMPRESSION TTL TTL_ENABLE
TTL_JOB_INTERVAL`.split(/\s+/),
);

/** TTL = column + INTERVAL n unit. */
function parseTtl(reader: TokenReader, at: number): NonNullable<TableOptions["ttl"]> {
  const column = reader.name("a column name");
  reader.expectOp("+");
  reader.expectWord("INTERVAL");
  const interval = parseExpression(reader);
  return { column, interval, unit: parseTimeUnit(reader).unit, at };
}

/** A number, word or string as the value of an option that is not used. */
function skipValue(reader: TokenReader): void {
  const { kind } = reader.token;
  if (kind === "op" && (reader.isOp("-") || reader.isOp("+"))) reader.advance();
  if (reader.token.kind === "op" || reader.token.kind === "eof")
    throw reader.error("the value of the option is missing here");
  reader.advance();
}
