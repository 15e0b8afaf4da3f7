/** REGEXP and the REGEXP_ functions (TiDB `pkg/expression/builtin_regexp.go`). */
import { joinBytes, textOf } from "../../../base/mod.ts";
import { CastError } from "../../cast/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { as, isConst, type Node } from "../node.ts";
import {
  allMatches,
  compilePattern,
  matchFrom,
  PatternError,
  type Program,
  type Runes,
  runesOfText,
} from "../regex/mod.ts";
import type { Eval, Kind, Row } from "../value.ts";

const LONGEST = 64;

function regexpError(reason: string): CastError {
  return new CastError(1139, `Got error '${reason.slice(0, LONGEST)}' from regexp`);
}

/** The flags of a match type; of i and c the last counts. */
function flagsOf(matchType: string, collation: string): string {
  const flags = new Set<string>();
  if (collation.endsWith("_ci")) flags.add("i");
  for (const c of matchType) {
    if (!"icms".includes(c)) throw regexpError("Invalid match type");
    if (c === "c") flags.delete("i");
    else flags.add(c);
  }
  return [...flags].join("");
}

function compiled(pattern: Uint8Array, matchType: Uint8Array | null, collation: string): Program {
  const flags = flagsOf(matchType === null ? "" : textOf(matchType), collation);
  try {
    return compilePattern(flags === "" ? textOf(pattern) : `(?${flags})${textOf(pattern)}`);
  } catch (thrown) {
    if (!(thrown instanceof PatternError)) throw thrown;
    throw regexpError(thrown.message);
  }
}

const MAX_CACHED = 64;

/** A call's arguments, cast; programs of patterns are kept. */
class Regexp {
  readonly call: Call;
  readonly args: readonly Node[];
  private readonly programs = new Map<string, Program>();

  constructor(call: Call, result: Kind, kinds: ReadonlyArray<Kind>) {
    call.cast(result, ...kinds.slice(0, call.args.length));
    this.call = call;
    this.args = call.args;
    const { charset, collate } = call.collation;
    if (call.name !== "regexp" && call.name !== "regexp_like" && charset === "binary" && collate === "binary") {
      throw regexpError("Not support binary collation so far");
    }
  }

  text(at: number): Eval<Uint8Array> {
    return as(this.args[at]!, "string").eval;
  }

  /** An optional number; the value if it is left out. */
  number(at: number, usual: bigint): Eval<bigint> {
    const arg = this.args[at];
    return arg === undefined ? () => usual : as(arg, "int").eval;
  }

  program(row: Row, pattern: Uint8Array, matchTypeAt: number): Program | null {
    const typeArg = this.args[matchTypeAt];
    const matchType = typeArg === undefined ? null : as(typeArg, "string").eval(row);
    if (typeArg !== undefined && matchType === null) return null;
    const { collate } = this.call.collation;
    const key = `${textOf(pattern)}\0${matchType === null ? "" : textOf(matchType)}`;
    let program = this.programs.get(key);
    if (program === undefined) {
      program = compiled(pattern, matchType, collate);
      if (this.programs.size >= MAX_CACHED) this.programs.clear();
      this.programs.set(key, program);
    }
    return program;
  }

  /** Text and pattern of the row; null if one is NULL. */
  operands(row: Row): { text: Uint8Array; pattern: Uint8Array } | null {
    const text = this.text(0)(row);
    const pattern = text === null ? null : this.text(1)(row);
    if (text === null || pattern === null) return null;
    if (pattern.length === 0) throw regexpError("Empty pattern is invalid");
    return { text, pattern };
  }
}

/** The text from a position on, which counts characters from 1. */
function cut(
  text: Uint8Array,
  position: bigint,
  allowsEmpty: boolean,
): { runes: Runes; skipped: number; from: number } {
  const whole = runesOfText(text);
  if (position >= 1n && position <= BigInt(whole.length)) {
    const skipped = Number(position) - 1;
    const from = whole.offsets[skipped]!;
    return { runes: skipped === 0 ? whole : runesOfText(text.subarray(from)), skipped, from };
  }
  if (text.length === 0 && allowsEmpty) return { runes: whole, skipped: 0, from: 0 };
  throw regexpError("Index out of bounds in regular expression search");
}

function regexpLike(call: Call): Node {
  const re = new Regexp(call, "int", ["string", "string", "string"]);
  return call.bool((row) => {
    const given = re.operands(row);
    if (given === null) return null;
    const program = re.program(row, given.pattern, 2);
    return program === null ? null : matchFrom(program, runesOfText(given.text), 0) !== null;
  });
}

const atLeastOne = (n: bigint): number => (n < 1n ? 1 : Number(n));

function regexpSubstr(call: Call): Node {
  const { Flen } = call.args[0]!.type;
  const re = new Regexp(call, "string", ["string", "string", "int", "int", "string"]);
  const position = re.number(2, 1n);
  const occurrence = re.number(3, 1n);
  return call.string(
    (row) => {
      const given = re.operands(row);
      const pos = given === null ? null : position(row);
      if (given === null || pos === null) return null;
      const { runes, from } = cut(given.text, pos, pos === 1n);
      const which = occurrence(row);
      const program = which === null ? null : re.program(row, given.pattern, 4);
      if (which === null || program === null) return null;
      const match = nth(program, runes, atLeastOne(which));
      if (match === undefined) return null;
      return given.text.slice(from + runes.offsets[match[0]!]!, from + runes.offsets[match[1]!]!);
    },
    { Flen },
  );
}

/** The match of that number, from 1. */
function nth(program: Program, runes: Runes, which: number): Int32Array | undefined {
  return allMatches(program, runes, which)[which - 1];
}

function regexpInstr(call: Call): Node {
  const re = new Regexp(call, "int", ["string", "string", "int", "int", "int", "string"]);
  const position = re.number(2, 1n);
  const occurrence = re.number(3, 1n);
  const option = re.number(4, 0n);
  return call.int((row) => {
    const given = re.operands(row);
    const pos = given === null ? null : position(row);
    if (given === null || pos === null) return null;
    const { runes } = cut(given.text, pos, pos >= 1n);
    const which = occurrence(row);
    const side = which === null ? null : option(row);
    if (which === null || side === null) return null;
    if (side !== 0n && side !== 1n)
      throw regexpError("Incorrect arguments to regexp_instr: return_option must be 1 or 0");
    const program = re.program(row, given.pattern, 5);
    if (program === null) return null;
    const match = nth(program, runes, atLeastOne(which));
    return match === undefined ? 0n : BigInt(match[Number(side)]!) + pos;
  });
}

/** Bytes as they are, or the number of a group. */
type Instruction = number | Uint8Array;

function instructionsOf(replacement: Uint8Array): Instruction[] {
  const out: Instruction[] = [];
  let literal: number[] = [];
  const flush = (): void => {
    if (literal.length > 0) out.push(Uint8Array.from(literal));
    literal = [];
  };
  for (let i = 0; i < replacement.length; i++) {
    const b = replacement[i]!;
    if (b !== 0x5c) {
      literal.push(b);
      continue;
    }
    const next = replacement[++i];
    if (next === undefined) break;
    if (next >= 0x30 && next <= 0x39) {
      flush();
      out.push(next - 0x30);
    } else literal.push(next);
  }
  flush();
  return out;
}

function replaced(text: Uint8Array, from: number, runes: Runes, matches: Int32Array[], by: Instruction[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const slice = (begin: number, end: number): Uint8Array =>
    text.subarray(from + runes.offsets[begin]!, from + runes.offsets[end]!);
  parts.push(text.subarray(0, from));
  let done = 0;
  for (const match of matches) {
    parts.push(slice(done, match[0]!));
    for (const instruction of by) {
      if (typeof instruction !== "number") parts.push(instruction);
      else {
        const [begin, end] = [match[2 * instruction], match[2 * instruction + 1]];
        if (begin === undefined || end === undefined || begin < 0)
          throw regexpError("Substitution number is out of range");
        parts.push(slice(begin, end));
      }
    }
    done = match[1]!;
  }
  parts.push(slice(done, runes.length));
  return joinBytes(parts);
}

function regexpReplace(call: Call): Node {
  const { Flen } = call.args[0]!.type;
  const re = new Regexp(call, "string", ["string", "string", "string", "int", "int", "string"]);
  const replacement = re.text(2);
  const fixed = isConst(re.args[2]!) ? replacement([]) : null;
  const known = fixed === null ? undefined : instructionsOf(fixed);
  const position = re.number(3, 1n);
  const occurrence = re.number(4, 0n);
  return call.string(
    (row) => {
      const given = re.operands(row);
      const by = given === null ? null : replacement(row);
      const pos = by === null ? null : position(row);
      if (given === null || by === null || pos === null) return null;
      const { runes, from } = cut(given.text, pos, pos === 1n);
      const which = occurrence(row);
      const program = which === null ? null : re.program(row, given.pattern, 5);
      if (which === null || program === null) return null;
      const count = which < 0n ? 1 : Number(which);
      const all = allMatches(program, runes, count === 0 ? Number.POSITIVE_INFINITY : count);
      const matches = count === 0 ? all : all.slice(count - 1);
      return replaced(given.text, from, runes, matches, known ?? instructionsOf(by));
    },
    { Flen },
  );
}

export const regexps: FunctionTable = {
  regexp: fn(regexpLike, 2),
  regexp_like: fn(regexpLike, 2, 3),
  regexp_substr: fn(regexpSubstr, 2, 5),
  regexp_instr: fn(regexpInstr, 2, 6),
  regexp_replace: fn(regexpReplace, 3, 6),
};
