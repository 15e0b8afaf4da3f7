/** Random expressions over random rows: a value, or an error of the kinds that are meant to be; nothing else, and soon. */
import { LevinError, type Random, seededRandom } from "../../../src/base/mod.ts";
import { type Datum, FieldKind, NULL_DATUM } from "../../../src/codec/mod.ts";
import { CastError, CastSession, castField, datumToBytes } from "../../../src/encoder/cast/mod.ts";
import { functions } from "../../../src/encoder/expr/functions.ts";
import { tableExpressions } from "../../../src/encoder/expr/mod.ts";
import type { TableInfo } from "../../../src/schema/mod.ts";
import { below, pick, randomText } from "../random-table.ts";
import { MODES, tableOf } from "./golden-generated.ts";

const COLUMNS: Record<string, string> = {
  i: "int",
  u: "bigint unsigned",
  f: "double",
  d: "decimal(20,6)",
  s: "varchar(30)",
  g: "varchar(30) collate utf8mb4_general_ci",
  k: "varchar(30) character set gbk",
  b: "varbinary(30)",
  dt: "datetime(6)",
  da: "date",
  ti: "time(3)",
  ts: "timestamp null",
  y: "year",
  e: "enum('a','bb','','Ünï')",
  se: "set('a','bb','c','ß')",
  bi: "bit(10)",
  j: "json",
};
const NAMES = Object.keys(COLUMNS);
const RESULTS = [
  "bigint",
  "bigint unsigned",
  "double",
  "decimal(30,8)",
  "varchar(100)",
  "datetime(6)",
  "time(6)",
  "json",
  "blob",
];

const LITERALS =
  `0 1 -1 7 255 -9223372036854775808 18446744073709551615 1.5 -0.0001 1e10 1e-300 '' 'a' '12' ' 3x' 'äß中' '2020-01-02'
'10:11:12' '2020-02-30 25:00:00' '0000-00-00' '{"a":[1,"x",null]}' '$.a' '$**.b' '[1,2' x'ff00' 0x41 b'101' null true false '%a_' '[a-z]+' '('
date'2020-01-01' time'10:00:00' timestamp'2020-01-01 10:00:00'`.match(/(date|time|timestamp)?'(?:[^']*)'|\S+/g)!;

const UNITS =
  `MICROSECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR SECOND_MICROSECOND MINUTE_SECOND HOUR_MICROSECOND DAY_HOUR
DAY_MICROSECOND YEAR_MONTH`.split(/\s+/);
const TYPES =
  `signed unsigned char char(3) binary(4) binary decimal(10,2) double float date datetime(3) time(2) year json`.split(
    " ",
  );
const OPERATORS = "+ - * / % div mod = <=> < > <= >= <> and or xor & | ^ << >> like regexp".split(" ");

/** Not to be had in generated columns, or without an end to their cost. */
const LEFT_OUT = new Set(["sleep", "benchmark", "uuid", "rand", "sysdate"]);
const CALLS = Object.keys(functions).filter((name) => /^[a-z_0-9]+$/.test(name) && !LEFT_OUT.has(name));
const ARGS_MAX = 4;

function expression(random: Random, depth: number): string {
  if (depth === 0 || random.next() < 0.15) return random.next() < 0.55 ? pick(random, NAMES) : pick(random, LITERALS);
  const sub = (): string => expression(random, depth - 1);
  switch (below(random, 12)) {
    case 0:
      return `(${sub()} ${pick(random, OPERATORS)} ${sub()})`;
    case 1:
      return `cast(${sub()} as ${pick(random, TYPES)})`;
    case 2:
      return `case when ${sub()} then ${sub()} else ${sub()} end`;
    case 3:
      return `(${sub()} ${pick(random, ["in", "not in"])} (${sub()}, ${sub()}))`;
    case 4:
      return `${pick(random, ["date_add", "date_sub"])}(${sub()}, interval ${sub()} ${pick(random, UNITS)})`;
    case 5:
      return `${pick(random, ["timestampdiff", "timestampadd"])}(${pick(random, UNITS.slice(0, 9))}, ${sub()}, ${sub()})`;
    case 6:
      return `extract(${pick(random, UNITS)} from ${sub()})`;
    case 7:
      return `(${sub()} between ${sub()} and ${sub()})`;
    default: {
      const name = pick(random, CALLS);
      const { min, max } = functions[name]!;
      const count = min + below(random, Math.min(max, Math.max(min, ARGS_MAX)) - min + 1);
      return `${name}(${Array.from({ length: count }, sub).join(", ")})`;
    }
  }
}

/** Drops, doubles or swaps a few words, so that the parser has something to refuse. */
function broken(random: Random, text: string): string {
  const words = text.match(/\w+|'[^']*'|[^\w\s]|\s+/g) ?? [];
  for (let i = 1 + below(random, 3); i > 0 && words.length > 0; i--) {
    const at = below(random, words.length);
    const roll = below(random, 3);
    if (roll === 0) words.splice(at, 1);
    else words.splice(at, roll === 1 ? 0 : 1, words[below(random, words.length)]!);
  }
  return words.join("");
}

const base = tableOf(
  `create table t (${Object.entries(COLUMNS)
    .map(([name, type]) => `${name} ${type}`)
    .join(", ")})`,
);
const results = RESULTS.map((type) => tableOf(`create table t (g ${type})`).cols[0]!.type);

function randomRow(random: Random, session: CastSession): Datum[] {
  return base.cols.map((column) => {
    if (random.next() < 0.1) return NULL_DATUM;
    const bytes = randomText(random, column);
    try {
      return castField(FieldKind.string, bytes, 0, bytes.length, column, session);
    } catch (thrown) {
      if (!(thrown instanceof CastError)) throw thrown;
      return NULL_DATUM;
    }
  });
}

export interface ExpressionOutcome {
  readonly text: string;
  readonly values: number;
  readonly errors: number;
  /** It did not compile. */
  readonly refused: boolean;
}

/** One random expression over a few rows. Throws what must not come out, with the expression in front. */
export function fuzzExpression(seed: number): ExpressionOutcome {
  const random = seededRandom(seed);
  let text = expression(random, 1 + below(random, 4));
  if (random.next() < 0.1) text = broken(random, text);
  const mode = pick(random, ["default", "strict"] as const);
  const timeZone = pick(random, ["UTC", "America/New_York", "+08:00"]);
  const session = new CastSession({
    sqlMode: MODES[mode],
    timeZone,
    newCollations: true,
    nowMs: 1.7e12,
    warn: () => undefined,
  });
  const column = {
    ...base.cols[0]!,
    offset: base.cols.length,
    type: pick(random, results),
    generated_expr_string: text,
  };
  const table: TableInfo = { ...base, cols: [...base.cols, column] };
  try {
    let evaluate: (row: readonly Datum[]) => Datum;
    try {
      evaluate = tableExpressions(session, { sqlMode: MODES[mode], defaultWeekFormat: 0 }).generated(table, column);
    } catch (thrown) {
      if (!(thrown instanceof LevinError) || thrown.code === "Levin:Internal:ErrUnexpected") throw thrown;
      return { text, values: 0, errors: 0, refused: true };
    }
    let values = 0;
    let errors = 0;
    for (let i = 0; i < 4; i++) {
      try {
        datumToBytes(evaluate([...randomRow(random, session), NULL_DATUM]), column.type);
        values++;
      } catch (thrown) {
        if (!(thrown instanceof CastError)) throw thrown;
        errors++;
      }
    }
    return { text, values, errors, refused: false };
  } catch (thrown) {
    (thrown as Error).message = `expression ${text} (seed ${seed}): ${(thrown as Error).message}`;
    throw thrown;
  }
}
