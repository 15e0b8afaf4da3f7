/** Runs programs over a text: leftmost match, of several the one that Perl's order prefers; time is text times program. */
import { utf8SequenceLength } from "../../../codec/mod.ts";
import { isWord } from "./charset.ts";
import type { Program } from "./program.ts";
import type { Assertion } from "./syntax.ts";

/** A text as code points; bytes that are no UTF-8 count as U+FFFD. */
export interface Runes {
  readonly codes: Int32Array;
  /** Byte offsets, one more than code points. */
  readonly offsets: Int32Array;
  readonly length: number;
}

const LEAD_BITS = [0, 0x7f, 0x1f, 0x0f, 0x07];

export function runesOfText(bytes: Uint8Array): Runes {
  const codes = new Int32Array(bytes.length);
  const offsets = new Int32Array(bytes.length + 1);
  let n = 0;
  for (let i = 0; i < bytes.length; ) {
    const size = utf8SequenceLength(bytes, i, bytes.length);
    let code = size === 0 ? 0xfffd : bytes[i]! & LEAD_BITS[size]!;
    for (let k = 1; k < size; k++) code = (code << 6) | (bytes[i + k]! & 0x3f);
    codes[n] = code;
    offsets[n++] = i;
    i += Math.max(size, 1);
  }
  offsets[n] = bytes.length;
  return { codes, offsets, length: n };
}

function holds(what: Assertion, text: Runes, at: number): boolean {
  switch (what) {
    case "begin":
      return at === 0;
    case "end":
      return at === text.length;
    case "beginLine":
      return at === 0 || text.codes[at - 1] === 10;
    case "endLine":
      return at === text.length || text.codes[at] === 10;
    default: {
      const before = at > 0 && isWord(text.codes[at - 1]!);
      const after = at < text.length && isWord(text.codes[at]!);
      return (before !== after) === (what === "word");
    }
  }
}

/** Where the machine is, with what each way has saved; a place is taken once for each position. */
class Ways {
  readonly places: number[] = [];
  readonly saved: Int32Array[] = [];
  private readonly seen: Int32Array;
  private round = 0;

  constructor(size: number) {
    this.seen = new Int32Array(size);
  }

  clear(): void {
    this.places.length = 0;
    this.saved.length = 0;
    this.round++;
  }

  /** Follows what needs no character from a place on, the preferred way first. */
  add(program: Program, text: Runes, at: number, start: number, saved: Int32Array): void {
    const stack: { place: number; saved: Int32Array }[] = [{ place: start, saved }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { place } = top;
      if (this.seen[place] === this.round) continue;
      this.seen[place] = this.round;
      const step = program.steps[place]!;
      switch (step.op) {
        case "jump":
          stack.push({ place: step.next, saved: top.saved });
          break;
        case "split":
          stack.push({ place: step.other, saved: top.saved }, { place: step.next, saved: top.saved });
          break;
        case "assert":
          if (holds(step.what, text, at)) stack.push({ place: step.next, saved: top.saved });
          break;
        case "save": {
          const copy = top.saved.slice();
          copy[step.slot] = at;
          stack.push({ place: step.next, saved: copy });
          break;
        }
        default:
          this.places.push(place);
          this.saved.push(top.saved);
      }
    }
  }
}

/** The first match from a position on: begin and end of the whole and of each group in code points, -1 where there is none. */
export function matchFrom(program: Program, text: Runes, from: number): Int32Array | null {
  let now = new Ways(program.steps.length);
  let next = new Ways(program.steps.length);
  let best: Int32Array | null = null;
  const nothing = new Int32Array(program.slots).fill(-1);
  now.clear();
  for (let at = from; at <= text.length; at++) {
    if (best === null) now.add(program, text, at, program.start, nothing);
    if (now.places.length === 0 && best !== null) break;
    next.clear();
    const code = at < text.length ? text.codes[at]! : -1;
    for (let i = 0; i < now.places.length; i++) {
      const step = program.steps[now.places[i]!]!;
      if (step.op === "match") {
        best = now.saved[i]!;
        break;
      }
      if (step.op === "char" && code >= 0 && step.test(code)) next.add(program, text, at + 1, step.next, now.saved[i]!);
    }
    [now, next] = [next, now];
  }
  return best;
}

/** All matches one after the other, at most `limit`; an empty one right behind another does not count. */
export function allMatches(program: Program, text: Runes, limit: number): Int32Array[] {
  const found: Int32Array[] = [];
  let behind = -1;
  for (let at = 0; at <= text.length && found.length < limit; ) {
    const match = matchFrom(program, text, at);
    if (match === null) break;
    const [begin, end] = [match[0]!, match[1]!];
    if (end !== at || begin !== behind) found.push(match);
    at = end === at ? at + 1 : end;
    behind = end;
  }
  return found;
}
