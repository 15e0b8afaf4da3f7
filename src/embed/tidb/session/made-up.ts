import type { Relation } from "../query/select.ts";
import type { ResultColumn, ResultValue } from "../wire/mod.ts";

/**
 * A column that the server makes up, in short: `NAME`, `NAME:256` (text of that many bytes on the wire), `NAME:int`,
 * `NAME:int:21:flags`, or with another type name in place of `int`.
 */
export type MadeColumn = string;

const TYPES: Record<string, { type: number; length: number; flags: number; collation: number; decimals?: number }> = {
  int: { type: 8, length: 20, flags: 0, collation: 63 },
  long: { type: 3, length: 19, flags: 32, collation: 63 },
  tiny: { type: 1, length: 0, flags: 0, collation: 63 },
  double: { type: 5, length: 22, flags: 0, collation: 63, decimals: 31 },
  ratio: { type: 5, length: 8, flags: 32, collation: 63 },
  string: { type: 254, length: 4, flags: 0, collation: 46 },
  datetime: { type: 12, length: 19, flags: 0, collation: 63 },
  timestamp: { type: 7, length: 19, flags: 0, collation: 63 },
  blob: { type: 252, length: 0, flags: 0, collation: 46 },
  longblob: { type: 251, length: 0, flags: 0, collation: 46 },
  text: { type: 253, length: 256, flags: 0, collation: 46 },
};

/** Types whose values compare as numbers. */
const NUMERIC = new Set([1, 3, 5, 8]);

function resultColumn(text: MadeColumn, place: { schema?: string; table?: string }): ResultColumn {
  const [name = "", kind = "text", length, flags] = text.split(":");
  const known = TYPES[kind] ?? { ...TYPES["text"]!, length: Number(kind) };
  const plain = TYPES[kind] === undefined;
  return {
    name,
    ...known,
    ...(length !== undefined && (plain ? { flags: Number(length) } : { length: Number(length) })),
    ...(known.type === 12 && length === "26" && { decimals: 6 }),
    ...(flags !== undefined && { flags: Number(flags) }),
    ...place,
  };
}

/** A relation of texts that the server makes up. */
export function madeUp(
  names: readonly MadeColumn[],
  rows: ResultValue[][],
  place: { schema?: string; table?: string } = {},
): Relation {
  return {
    columns: names.map((text) => {
      const result = resultColumn(text, place);
      return { name: result.name, numeric: NUMERIC.has(result.type), caseless: true, result };
    }),
    visible: names.length,
    sortedBy: [],
    binaryOrder: true,
    rows: () => rows,
  };
}

/**
 * Names of columns with the length that TiDB gives to the columns of most SHOW statements: four bytes for each character of the longest
 * value, rounded up, and five characters at least.
 */
export function fitted(names: readonly string[], rows: readonly ResultValue[][]): MadeColumn[] {
  return names.map((name, i) => {
    if (name.includes(":")) return name;
    let longest = 0;
    for (const row of rows) longest = Math.max(longest, String(row[i] ?? "").length);
    return `${name}:${4 * Math.max(5, longest)}`;
  });
}
