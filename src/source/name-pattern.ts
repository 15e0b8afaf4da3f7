import { LevinError } from "../base/mod.ts";

/** A configuration mistake, naming the key. */
export function configError(key: string, detail: string): LevinError {
  return new LevinError("Levin:Config:ErrInvalid", `Cannot use ${key}: ${detail}`, { fields: { key } });
}

/** Go's named character classes as bodies of JavaScript ones. */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  blank: "\\t ",
  digit: "0-9",
  lower: "a-z",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\s",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

/**
 * A Go regular expression (RE2 syntax) as JavaScript's: leading flags, named groups, \A, \z, \Q…\E and named classes are
 * translated, what both know stays.
 */
export function goRegExp(pattern: string, key: string, ignoreCase = false): RegExp {
  let flags = ignoreCase ? "iu" : "u";
  let body = pattern;
  const leading = /^\(\?([ims]+)\)/.exec(body);
  if (leading !== null) {
    flags = [...new Set(flags + leading[1]!)].join("");
    body = body.slice(leading[0].length);
  }
  body = body
    .replace(/\\Q([\s\S]*?)\\E/g, (_all, text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))
    .replaceAll("(?P<", "(?<")
    .replace(/\\A/g, "^")
    .replace(/\\z/g, "$")
    .replace(/\\p([A-Z])/g, "\\p{$1}")
    .replace(/\[:(\^?)([a-z]+):\]/g, (all: string, negated: string, name: string) =>
      negated === "" && CLASSES[name] !== undefined ? CLASSES[name] : all,
    );
  try {
    return new RegExp(body, flags);
  } catch {
    // Escapes that are idle in Go (such as \- or \_) are errors with the u flag.
  }
  try {
    return new RegExp(body, flags.replace("u", ""));
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw configError(key, `"${pattern}" is no regular expression (${why})`);
  }
}

/** A whole-name match for `*`, `?`, `[a-z]` and `[!a-z]`; `\` before punctuation makes it literal. */
export function wildcardRegExp(pattern: string, key: string, ignoreCase: boolean): RegExp {
  let body = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === "*") body += "[\\s\\S]*";
    else if (char === "?") body += "[\\s\\S]";
    else if (char === "\\" && at + 1 < pattern.length) body += literal(pattern[++at]!);
    else if (char === "[") {
      const end = pattern.indexOf("]", at + 2);
      if (end < 0) throw configError(key, `"${pattern}" has a "[" without "]"`);
      const inner = pattern.slice(at + 1, end).replace(/[\\\]^]/g, "\\$&");
      body += inner.startsWith("!") ? `[^${inner.slice(1)}]` : `[${inner}]`;
      at = end;
    } else body += literal(char);
  }
  return new RegExp(`^${body}$`, ignoreCase ? "i" : "");
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}
