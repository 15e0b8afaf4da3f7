/** Trees of patterns as programs of a machine that follows all ways at once (Go `regexp/syntax/compile.go`). */
import type { Test } from "./charset.ts";
import { type Assertion, PatternError, parsePattern, type Tree } from "./syntax.ts";

export type Step =
  | { op: "char"; test: Test; next: number }
  /** The first way is preferred. */
  | { op: "split"; next: number; other: number }
  | { op: "save"; slot: number; next: number }
  | { op: "assert"; what: Assertion; next: number }
  | { op: "jump"; next: number }
  | { op: "match" };

export interface Program {
  readonly steps: readonly Step[];
  readonly start: number;
  /** Two for each group and for the whole. */
  readonly slots: number;
}

const MAX_STEPS = 20000;

/** Compiles a pattern; throws PatternError. */
export function compilePattern(pattern: string): Program {
  const { tree, groups } = parsePattern(pattern);
  const steps: Step[] = [{ op: "match" }];
  const writer = new Writer(steps, pattern);
  const start = writer.write({ kind: "group", index: 0, item: tree }, 0);
  return { steps, start, slots: 2 * (groups + 1) };
}

/** Writes from the end to the beginning: each part knows where it goes on. */
class Writer {
  private readonly steps: Step[];
  private readonly pattern: string;

  constructor(steps: Step[], pattern: string) {
    this.steps = steps;
    this.pattern = pattern;
  }

  private add(step: Step): number {
    if (this.steps.length >= MAX_STEPS) throw new PatternError("expression too large", this.pattern.slice(0, 64));
    this.steps.push(step);
    return this.steps.length - 1;
  }

  write(tree: Tree, next: number): number {
    switch (tree.kind) {
      case "empty":
        return next;
      case "char":
        return this.add({ op: "char", test: tree.test, next });
      case "assert":
        return this.add({ op: "assert", what: tree.what, next });
      case "all": {
        let at = next;
        for (let i = tree.items.length - 1; i >= 0; i--) at = this.write(tree.items[i]!, at);
        return at;
      }
      case "any": {
        const ways = tree.items.map((item) => this.write(item, next));
        return ways.reduceRight((other, way) => this.add({ op: "split", next: way, other }));
      }
      case "group": {
        const end = this.add({ op: "save", slot: 2 * tree.index + 1, next });
        return this.add({ op: "save", slot: 2 * tree.index, next: this.write(tree.item, end) });
      }
      case "repeat":
        return this.repeat(tree, next);
    }
  }

  private either(into: number, past: number, lazy: boolean): number {
    return this.add(lazy ? { op: "split", next: past, other: into } : { op: "split", next: into, other: past });
  }

  private repeat(tree: Extract<Tree, { kind: "repeat" }>, next: number): number {
    const { item, min, max, lazy } = tree;
    let at = next;
    if (max < 0) {
      const isStar = min === 0;
      at = this.plus(item, next, lazy, isStar && !canBeEmpty(item));
      if (isStar) return canBeEmpty(item) ? this.either(at, next, lazy) : at;
    } else {
      for (let i = min; i < max; i++) at = this.either(this.write(item, at), next, lazy);
    }
    for (let i = max < 0 ? 1 : 0; i < min; i++) at = this.write(item, at);
    return at;
  }

  /** Once and more; with `skip` it may be passed by at once. */
  private plus(item: Tree, next: number, lazy: boolean, skip: boolean): number {
    const loop = this.either(next, next, lazy);
    const body = this.write(item, loop);
    this.steps[loop] = lazy ? { op: "split", next, other: body } : { op: "split", next: body, other: next };
    return skip ? loop : body;
  }
}

function canBeEmpty(tree: Tree): boolean {
  switch (tree.kind) {
    case "char":
      return false;
    case "all":
      return tree.items.every(canBeEmpty);
    case "any":
      return tree.items.some(canBeEmpty);
    case "group":
      return canBeEmpty(tree.item);
    case "repeat":
      return tree.min === 0 || canBeEmpty(tree.item);
    default:
      return true;
  }
}
