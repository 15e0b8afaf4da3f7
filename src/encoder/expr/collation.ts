/** Which collation an expression of several strings has (TiDB `pkg/expression/collation.go`). */
import { CastError } from "../cast/mod.ts";
import { DEFAULT_CHARSET, DEFAULT_COLLATION, isBinaryString } from "./field-types.ts";
import { Coercibility, type Node, Repertoire } from "./node.ts";
import type { Kind } from "./value.ts";

export interface Derived {
  readonly coercibility: number;
  readonly repertoire: number;
  readonly charset: string;
  readonly collate: string;
}

const BIN: Record<string, string> = {
  utf8: "utf8_bin",
  utf8mb4: "utf8mb4_bin",
  gbk: "gbk_bin",
  gb18030: "gb18030_bin",
};

const isUnicode = (charset: string): boolean => charset === "utf8" || charset === "utf8mb4";
const isBin = (collate: string): boolean => /^(ascii|latin1|utf8|utf8mb4|gbk)_bin$/.test(collate);

function namesOf(node: Node): { charset: string; collate: string } {
  const { Charset, Collate, Tp } = node.type;
  if (node.kind === "json") return { charset: DEFAULT_CHARSET, collate: DEFAULT_COLLATION };
  return Tp === 16 ? { charset: "binary", collate: "binary" } : { charset: Charset, collate: Collate };
}

/** What two make of each other; undefined where they cannot be mixed at all. */
function merge(a: Derived, b: Derived): Derived | "unknown" | undefined {
  const repertoire = a.repertoire | b.repertoire;
  const first = { ...a, repertoire };
  const second = { ...b, repertoire };
  if (a.collate === "binary" || b.collate === "binary") {
    const takes = a.coercibility > b.coercibility || (a.coercibility === b.coercibility && b.collate === "binary");
    return takes ? second : first;
  }
  if (a.charset !== b.charset) return mergeCharsets(a, b, first, second);
  if (a.coercibility !== b.coercibility) return a.coercibility > b.coercibility ? second : first;
  if (a.collate === b.collate) return first;
  if (a.coercibility === Coercibility.explicit) return undefined;
  if (isBin(a.collate)) return first;
  if (isBin(b.collate)) return second;
  const collate = BIN[b.charset] ?? DEFAULT_COLLATION;
  return { coercibility: Coercibility.none, repertoire, charset: b.charset, collate };
}

function mergeCharsets(a: Derived, b: Derived, first: Derived, second: Derived): Derived | "unknown" {
  if (a.coercibility < b.coercibility) {
    const fits = b.repertoire === Repertoire.ascii || b.coercibility >= Coercibility.sysconst || isUnicode(a.charset);
    return fits ? first : "unknown";
  }
  if (a.coercibility > b.coercibility) {
    const fits = a.repertoire === Repertoire.ascii || a.coercibility >= Coercibility.sysconst || isUnicode(b.charset);
    return fits ? second : "unknown";
  }
  const wider = (x: string, y: string) => (isUnicode(x) && !isUnicode(y)) || (x === "utf8mb4" && y === "utf8");
  if (wider(a.charset, b.charset)) return first;
  if (wider(b.charset, a.charset)) return second;
  if (a.repertoire === Repertoire.ascii && b.repertoire !== Repertoire.ascii) return second;
  if (a.repertoire !== Repertoire.ascii && b.repertoire === Repertoire.ascii) return first;
  return "unknown";
}

function infer(nodes: readonly Node[]): Derived | undefined {
  let unknown = false;
  let result: Derived | undefined;
  for (const node of nodes) {
    const { coercibility, repertoire } = node;
    const own: Derived = { coercibility, repertoire, ...namesOf(node) };
    if (result === undefined) {
      result = own;
      continue;
    }
    const merged = merge(result, own);
    if (merged === undefined) return undefined;
    if (merged === "unknown") unknown = true;
    result =
      merged === "unknown"
        ? {
            coercibility: Coercibility.none,
            repertoire: result.repertoire | repertoire,
            charset: "binary",
            collate: "binary",
          }
        : merged;
  }
  return unknown && result?.coercibility !== Coercibility.explicit ? undefined : result;
}

function isSafe(derived: Derived, nodes: readonly Node[]): boolean {
  return nodes.every((node) => {
    if (node.type.Charset === derived.charset) return true;
    if (node.repertoire === Repertoire.ascii || isBinaryString(node.type)) return true;
    if (node.shape === "const") return true;
    return node.type.Collate === "binary" || derived.charset === "binary" || isUnicode(derived.charset);
  });
}

/** The collation of `nodes` together; CastError 1267..1271 where they cannot be mixed. `kind`: that of the function's result. */
export function deriveFrom(name: string, kind: Kind, nodes: readonly Node[]): Derived {
  let derived = infer(nodes);
  if (derived === undefined || (kind !== "string" && derived.coercibility === Coercibility.none)) {
    throw new CastError(1271, `Illegal mix of collations for operation '${name}'`);
  }
  if (kind === "string" && derived.coercibility === Coercibility.numeric) {
    derived = {
      coercibility: Coercibility.coercible,
      repertoire: Repertoire.ascii,
      charset: DEFAULT_CHARSET,
      collate: DEFAULT_COLLATION,
    };
  }
  if (!isSafe(derived, nodes)) throw new CastError(1271, `Illegal mix of collations for operation '${name}'`);
  return derived;
}

/** Of functions that do not look at their arguments. */
export function plainCollation(kind: Kind): Derived {
  if (kind !== "string") {
    return { coercibility: Coercibility.numeric, repertoire: Repertoire.ascii, charset: "binary", collate: "binary" };
  }
  return {
    coercibility: Coercibility.coercible,
    repertoire: Repertoire.unicode,
    charset: DEFAULT_CHARSET,
    collate: DEFAULT_COLLATION,
  };
}

export function asciiResult(): Derived {
  return { ...plainCollation("string"), repertoire: Repertoire.ascii };
}
