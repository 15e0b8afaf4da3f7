/** What the functions' builders work with: a call whose arguments are compiled. */
import { type Expr, type FieldTypeInfo, Flag } from "../../schema/mod.ts";
import { binaryAware } from "./binary-literal.ts";
import { toKind } from "./cast.ts";
import { asciiResult, type Derived, deriveFrom, plainCollation } from "./collation.ts";
import { callNode } from "./const.ts";
import type { ExprContext } from "./context.ts";
import { DEFAULT_COLLATION, limitFlen, limitScale, resultType } from "./field-types.ts";
import { as, Coercibility, type Node, type NodeOf, Repertoire } from "./node.ts";
import type { Eval, Kind, ValueOf } from "./value.ts";

/** Makes the node of a call; the arguments are compiled but not cast. */
export type Builder = (call: Call) => Node;

export interface FunctionInfo {
  /** Fewest and most arguments. */
  readonly min: number;
  readonly max: number;
  readonly build: Builder;
}

export type FunctionTable = Readonly<Record<string, FunctionInfo>>;

export const ANY_NUMBER = 255;

/** An entry of a table of functions; `max` is `min` if left out. */
export function fn(build: Builder, min: number, max = min): FunctionInfo {
  return { min, max, build };
}

type NodesOf<K extends readonly Kind[]> = { [I in keyof K]: NodeOf<K[I]> };

type Pick = (args: readonly Node[]) => readonly Node[];
const all: Pick = (args) => args;
const first: Pick = (args) => args.slice(0, 1);
const rest: Pick = (args) => args.slice(1);

/** Functions whose collation comes from their arguments, and which. */
const COLLATING: Record<string, Pick> = {};
for (const name of "concat concat_ws lower lcase reverse upper ucase quote coalesce greatest least".split(" ")) {
  COLLATING[name] = all;
}
for (const name of "left right repeat trim ltrim rtrim substr substring_index replace substring mid translate".split(
  " ",
)) {
  COLLATING[name] = first;
}
COLLATING["insert_func"] = (args) => [args[0]!, args[3]!];
COLLATING["lpad"] = (args) => [args[0]!, args[2]!];
COLLATING["rpad"] = COLLATING["lpad"];
for (const name of ["elt", "export_set", "make_set", "if"]) COLLATING[name] = rest;
COLLATING["ifnull"] = all;
COLLATING["regexp_replace"] = (args) => args.slice(0, 3);

/** Functions that compare their strings: collation of these, although the result is a number. */
const COMPARING: Record<string, Pick> = {
  find_in_set: all,
  regexp: all,
  regexp_replace: (args) => args.slice(0, 3),
};
for (const name of "locate instr position regexp_like regexp_substr regexp_instr like ilike".split(" ")) {
  COMPARING[name] = (args) => args.slice(0, 2);
}
for (const name of "field ge le gt lt eq ne nulleq strcmp in".split(" ")) COMPARING[name] = all;

const ASCII_RESULT = new Set("format space to_base64 uuid hex md5 sha sha1 sha2 sm3".split(" "));
const JSON_TEXT = new Set(["json_pretty", "json_quote"]);

/** With a JSON argument the string is so long that it is compared by its bytes. */
const LONG_WITH_JSON = new Set(
  "reverse lower upper substring_index trim quote insert_func substr repeat replace concat concat_ws elt make_set".split(
    " ",
  ),
);

export class Call {
  readonly ctx: ExprContext;
  readonly name: string;
  /** The arguments, after `cast` as the function takes them. */
  args: Node[];
  /** The arguments as written. */
  readonly exprs: readonly Expr[];
  collation: Derived;

  constructor(ctx: ExprContext, name: string, args: Node[], exprs: ReadonlyArray<Expr>) {
    this.ctx = ctx;
    this.name = name;
    this.args = args;
    this.exprs = exprs;
    this.collation = plainCollation("string");
  }

  /** Casts the arguments to these kinds and finds the collation; `result`: the kind that the function gives. */
  cast<const K extends readonly Kind[]>(result: Kind, ...kinds: K): NodesOf<K> {
    this.collation = this.derive(result, kinds[0]);
    this.args = this.args.map((arg, i) => this.castOne(arg, kinds[i]!));
    return this.args as unknown as NodesOf<K>;
  }

  /** All arguments to one kind. */
  castAll<K extends Kind>(result: Kind, kind: K): NodeOf<K>[] {
    this.cast(result, ...this.args.map(() => kind));
    return this.args.map((arg) => as(arg, kind));
  }

  castOne(arg: Node, kind: Kind): Node {
    const node = toKind(this.ctx, arg, kind);
    return node.kind === "string" ? binaryAware(this.ctx, this.name, node, this.collation) : node;
  }

  derive(result: Kind, firstKind: Kind | undefined): Derived {
    const { name, args } = this;
    if (ASCII_RESULT.has(name)) return asciiResult();
    if (JSON_TEXT.has(name)) return plainCollation("string");
    if (name === "date_format" || name === "time_format") {
      const { coercibility, repertoire } = args[1]!;
      return { ...plainCollation("string"), coercibility, repertoire };
    }
    const comparing = COMPARING[name];
    if (comparing !== undefined && firstKind === "string") {
      const derived = deriveFrom(name, "int", comparing(args));
      if (result === "string") return derived;
      return { ...derived, coercibility: Coercibility.numeric, repertoire: Repertoire.ascii };
    }
    const pick = COLLATING[name];
    if (pick === undefined) return plainCollation(result);
    const derived = deriveFrom(name, result, pick(args));
    const long = LONG_WITH_JSON.has(name) && args.some((arg) => arg.kind === "json");
    return long ? { ...derived, collate: DEFAULT_COLLATION } : derived;
  }

  /** The node of the call. `change`: what its type has other than usual. */
  node<K extends Kind>(
    kind: K,
    evaluate: Eval<ValueOf[K]>,
    change: Partial<FieldTypeInfo> = {},
    more: { asInt?: Eval<bigint>; volatile?: boolean } = {},
  ): Node {
    const isBare = this.args.length === 0 && kind !== "string";
    const { charset, collate, coercibility, repertoire } = isBare ? plainCollation(kind) : this.collation;
    const type = { ...resultType(kind, charset, collate), ...change };
    type.Flen = limitFlen(type, type.Flen);
    type.Decimal = limitScale(type, type.Decimal);
    const { ctx, name, args } = this;
    return callNode(ctx, { name, kind, type, args, eval: evaluate, coercibility, repertoire, ...more });
  }

  int(evaluate: Eval<bigint>, change: Partial<FieldTypeInfo> = {}): Node {
    return this.node("int", evaluate, change);
  }

  uint(evaluate: Eval<bigint>, change: Partial<FieldTypeInfo> = {}): Node {
    return this.node("int", evaluate, { Flag: Flag.binary | Flag.unsigned, ...change });
  }

  /** A truth value. */
  bool(evaluate: Eval<boolean>, change: Partial<FieldTypeInfo> = {}): Node {
    const asBigint: Eval<bigint> = (row) => {
      const v = evaluate(row);
      return v === null ? null : v ? 1n : 0n;
    };
    return this.node("int", asBigint, { Flag: Flag.binary | Flag.isBoolean, Flen: 1, ...change });
  }

  string(evaluate: Eval<Uint8Array>, change: Partial<FieldTypeInfo> = {}): Node {
    return this.node("string", evaluate, change);
  }

  /** A binary string. */
  bytes(evaluate: Eval<Uint8Array>, flen = -1): Node {
    return this.node("string", evaluate, { Flag: Flag.binary, Flen: flen, Charset: "binary", Collate: "binary" });
  }

  real(evaluate: Eval<number>, change: Partial<FieldTypeInfo> = {}): Node {
    return this.node("real", evaluate, change);
  }

  json(evaluate: Eval<Uint8Array>): Node {
    return this.node("json", evaluate);
  }
}
