/** Sets of characters of regular expressions, with Go's folding of case (`unicode.SimpleFold`). */

/** The one character that a mapping gives, else the character itself. */
function single(text: string, c: number): number {
  const code = text.codePointAt(0);
  return code !== undefined && text.length === (code > 0xffff ? 2 : 1) ? code : c;
}

const lower = (c: number): number => single(String.fromCodePoint(c).toLowerCase(), c);
const upper = (c: number): number => single(String.fromCodePoint(c).toUpperCase(), c);
const isSurrogate = (c: number): boolean => c >= 0xd800 && c <= 0xdfff;

/** Equal for characters that differ in case only. Turkish i without dot folds to itself. */
export function foldKey(c: number): number {
  if (c < 0x80) return c >= 0x41 && c <= 0x5a ? c + 32 : c;
  if (c === 0x131 || isSurrogate(c)) return c;
  return lower(upper(c));
}

let orbits: Map<number, number[]> | undefined;

/** All characters that differ from this one in case only, itself included. */
function orbitOf(c: number): readonly number[] {
  if (orbits === undefined) {
    orbits = new Map();
    for (let other = 0; other < 0x1f000; other++) {
      const key = foldKey(other);
      if (key === other && lower(other) === other && (isSurrogate(other) || upper(other) === other)) continue;
      const known = orbits.get(key);
      if (known === undefined) orbits.set(key, other === key ? [key] : [key, other]);
      else if (!known.includes(other)) known.push(other);
    }
  }
  return orbits.get(foldKey(c)) ?? [c];
}

export type Test = (c: number) => boolean;

export function one(c: number, fold: boolean): Test {
  if (!fold) return (other) => other === c;
  const key = foldKey(c);
  return (other) => other === c || foldKey(other) === key;
}

export function range(low: number, high: number): Test {
  return (c) => c >= low && c <= high;
}

export function anyOf(tests: readonly Test[]): Test {
  return (c) => tests.some((test) => test(c));
}

/** The set and what differs from its members in case only. */
export function folded(test: Test): Test {
  return (c) => test(c) || orbitOf(c).some(test);
}

const inText = (chars: string): Test => {
  const codes = new Set([...chars].map((c) => c.codePointAt(0)!));
  return (c) => codes.has(c);
};

const digit = range(0x30, 0x39);
const lowers = range(0x61, 0x7a);
const uppers = range(0x41, 0x5a);
const letter = anyOf([lowers, uppers]);
const word = anyOf([letter, digit, inText("_")]);

/** \d \s \w; upper case for their opposites. */
export function perlClass(c: string): Test | undefined {
  const known: Record<string, Test> = { d: digit, s: inText("\t\n\f\r "), w: word };
  const test = known[c.toLowerCase()];
  if (test === undefined) return undefined;
  return c === c.toLowerCase() ? test : (code) => !test(code);
}

export const isWord = word;

/** The classes of [[:name:]]. */
export const POSIX: Readonly<Record<string, Test>> = {
  alnum: anyOf([letter, digit]),
  alpha: letter,
  ascii: range(0, 0x7f),
  blank: inText("\t "),
  cntrl: anyOf([range(0, 0x1f), range(0x7f, 0x7f)]),
  digit,
  graph: range(0x21, 0x7e),
  lower: lowers,
  print: range(0x20, 0x7e),
  punct: anyOf([range(0x21, 0x2f), range(0x3a, 0x40), range(0x5b, 0x60), range(0x7b, 0x7e)]),
  space: inText("\t\n\v\f\r "),
  upper: uppers,
  word,
  xdigit: anyOf([digit, range(0x41, 0x46), range(0x61, 0x66)]),
};

/** The characters of a general category or a script; undefined for other names. */
export function unicodeClass(name: string): Test | undefined {
  if (name === "Any") return () => true;
  const isCategory = /^[CLMNPSZ][a-z]?$/.test(name);
  if (!isCategory && !/^[A-Z][A-Za-z_]*$/.test(name)) return undefined;
  let pattern: RegExp;
  try {
    pattern = new RegExp(isCategory ? `^\\p{${name}}$` : `^\\p{Script=${name}}$`, "u");
  } catch {
    return undefined;
  }
  return (c) => pattern.test(String.fromCodePoint(c));
}
