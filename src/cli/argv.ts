import { basename } from "node:path";

/**
 * Go programs take `-name value`, `-name=value` and `--name` alike; cmd-ts only the latter. Single letters stay as they are. What stands
 * behind `--` is left alone.
 */
export function normalizeFlags(argv: readonly string[]): string[] {
  const behind = argv.indexOf("--");
  return argv.map((word, i) => (/^-[a-z][a-z-]+/i.test(word) && (behind < 0 || i < behind) ? `-${word}` : word));
}

/** Options that are true where they stand without a value: those of boolean keys, and a few more. */
export const booleanOptions: ReadonlySet<string> = new Set([
  "check-requirements",
  "enable-checkpoint",
  "ignore-unmatched",
  "new-collations",
  "no-schema",
  "redact-info-log",
  "server-mode",
  "strict-config",
]);

/** What a boolean option may be given as, with and without `=`. */
const BOOLEAN = /^(?:(true|1|yes|on)|(false|0|no|off))$/i;

/** The value of a boolean option; undefined: it is none. */
export function parseBoolean(text: string): boolean | undefined {
  const found = BOOLEAN.exec(text);
  return found === null ? undefined : found[1] !== undefined;
}

/**
 * Boolean options stand alone (true), as `--name=false` and as `--name false`. `named` take any of their values so, `flags` true and
 * false; cmd-ts wants the former with and the latter without a value.
 */
export function joinBooleans(
  words: readonly string[],
  named: ReadonlySet<string>,
  flags: ReadonlySet<string>,
): string[] {
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--") return [...out, ...words.slice(i)];
    const name = /^--([a-z-]+)$/.exec(word)?.[1] ?? "";
    const next = words[i + 1] ?? "";
    const isValue = named.has(name) ? BOOLEAN.test(next) : flags.has(name) && /^(true|false)$/i.test(next);
    if (isValue) i++;
    if (named.has(name)) out.push(`${word}=${isValue ? next : "true"}`);
    else out.push(isValue ? `${word}=${next.toLowerCase()}` : word);
  }
  return out;
}

/** The executable called by the name `tidb-lightning` (or `tidb-lightning-ctl`) takes that program's command line. */
export function isLightningName(executable: string, suffix: "" | "-ctl" = ""): boolean {
  return basename(executable).replace(/\.exe$/, "") === `tidb-lightning${suffix}`;
}
