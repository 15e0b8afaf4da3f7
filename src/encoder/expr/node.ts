/** A compiled expression: its type and a closure that computes it. */
import { assert } from "../../base/mod.ts";
import type { FieldTypeInfo } from "../../schema/mod.ts";
import type { CastSource } from "../cast/mod.ts";
import type { Eval, Kind, Row, ValueOf } from "./value.ts";

/** How strongly an expression holds to its collation, strongest first (TiDB `pkg/expression/collation.go`). */
export const Coercibility = {
  explicit: 0,
  none: 1,
  implicit: 2,
  sysconst: 3,
  coercible: 4,
  numeric: 5,
  ignorable: 6,
} as const;

/** Characters that a string can have. */
export const Repertoire = { ascii: 1, unicode: 3 } as const;

export interface NodeOf<K extends Kind> {
  readonly kind: K;
  readonly type: FieldTypeInfo;
  readonly eval: Eval<ValueOf[K]>;
  readonly shape: "const" | "column" | "call";
  /** Name of the function of a call. */
  readonly name: string;
  readonly args: readonly Node[];
  readonly coercibility: number;
  readonly repertoire: number;
  /** As TiDB's messages quote it. */
  readonly text: () => string;
  /** The number behind an ENUM, SET or BIT value, a hex or bit literal, or a function that is also one. */
  readonly asInt?: Eval<bigint>;
  /** Bytes of a BIT value. */
  readonly asBytes?: Eval<Uint8Array>;
  /** The value as a column takes it, where that is more than the value of this kind. */
  readonly source?: (row: Row) => CastSource;
  /** Of a control function with ENUM or SET results: the same with each result wrapped, so that a number comes out of the number behind. */
  readonly recast?: (wrap: (node: Node) => Node) => Node;
  /** A hex or bit literal. */
  readonly binaryLiteral?: boolean;
  /** The value may differ although the arguments do not: never computed at compile time. */
  readonly volatile?: boolean;
}

export type Node = { readonly [K in Kind]: NodeOf<K> }[Kind];

/** The node as one of that kind; what is of another kind was not cast and is a bug. */
export function as<K extends Kind>(node: Node, kind: K): NodeOf<K> {
  assert(node.kind === kind, `a node of kind ${node.kind} where ${kind} was wanted`);
  return node as unknown as NodeOf<K>;
}

export function isConst(node: Node): boolean {
  return node.shape === "const";
}

/** A function of one argument that is NULL for NULL. */
export function lift1<A, R>(a: Eval<A>, f: (a: A) => R | null): Eval<R> {
  return (row) => {
    const x = a(row);
    return x === null ? null : f(x);
  };
}

/** A function of two arguments that is NULL if one is; the second is not computed if the first is NULL. */
export function lift2<A, B, R>(a: Eval<A>, b: Eval<B>, f: (a: A, b: B) => R | null): Eval<R> {
  return (row) => {
    const x = a(row);
    if (x === null) return null;
    const y = b(row);
    return y === null ? null : f(x, y);
  };
}

export function lift3<A, B, C, R>(a: Eval<A>, b: Eval<B>, c: Eval<C>, f: (a: A, b: B, c: C) => R | null): Eval<R> {
  return (row) => {
    const x = a(row);
    if (x === null) return null;
    const y = b(row);
    if (y === null) return null;
    const z = c(row);
    return z === null ? null : f(x, y, z);
  };
}
