import { basename } from "node:path";

/** Flags that Go programs take without a value: bare means true. */
const bareBooleans = new Set([
  "no-schema",
  "check-requirements",
  "enable-checkpoint",
  "redact-info-log",
  "server-mode",
  "strict-config",
]);

/**
 * Go programs take `-name value`, `-name=value` and `--name` alike; cmd-ts only the latter. Single letters stay as they are. What stands
 * behind `--` is left alone.
 */
export function normalizeFlags(argv: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    let word = argv[i]!;
    if (word === "--") return [...out, ...argv.slice(i)];
    if (/^-[a-z][a-z-]+/i.test(word)) word = `-${word}`;
    const name = /^--([a-z-]+)$/.exec(word)?.[1];
    out.push(name !== undefined && bareBooleans.has(name) ? `${word}=true` : word);
  }
  return out;
}

/** The executable called by the name `tidb-lightning` (or `tidb-lightning-ctl`) takes that program's command line. */
export function isLightningName(executable: string, suffix: "" | "-ctl" = ""): boolean {
  return basename(executable).replace(/\.exe$/, "") === `tidb-lightning${suffix}`;
}
