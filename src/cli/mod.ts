/**
 * The command line: commands, flags, output, exit codes. Each command is a function of `CommandIo` that gives an exit code; nothing
 * below this folder prints or knows of a process.
 */
import { stripVTControlCharacters } from "node:util";
import { command, runSafely, subcommands } from "cmd-ts";
import { LevinError, nearestOf } from "../base/mod.ts";
import { booleanOptions, isLightningName, joinBooleans, normalizeFlags } from "./argv.ts";
import { descriptions, isCommandName, loadCommand } from "./commands/mod.ts";
import { type CommandIo, reportError } from "./io.ts";

export { terminalSecret } from "./ask-secret.ts";
export type { CommandIo } from "./io.ts";

/** A command's exit code, from as many levels of subcommands as there are. */
async function exitCodeOf(result: unknown): Promise<number> {
  let value = await result;
  while (typeof value === "object" && value !== null && "value" in value) value = await value.value;
  return value as number;
}

/** Throws where the first word is no command, or an option that the program itself does not have. */
function demandCommand(word: string | undefined): void {
  if (word === undefined || isCommandName(word)) return;
  const names = Object.keys(descriptions);
  if (word.startsWith("-")) {
    if (["-h", "--help"].includes(word)) return;
    throw new LevinError(
      "Levin:Command:ErrUsage",
      `Cannot use ${word}: a command comes first, one of ${names.join(", ")}`,
    );
  }
  const longer = names.filter((name) => name.startsWith(word));
  const near = longer.length === 1 ? longer[0] : nearestOf(word, names);
  const hint = near === undefined ? `; there are ${names.join(", ")}` : `; did you mean ${near}?`;
  throw new LevinError("Levin:Command:ErrUsage", `Cannot run "${word}": there is no such command${hint}`);
}

/** What `levin help …` stands for; the help of a command that is not there is the error that names the nearest. */
function helpWords(topic: readonly string[], known: readonly string[]): string[] {
  const isKnown = topic[0] === undefined || known.includes(topic[0]);
  return isKnown ? [...topic, "--help"] : [...topic];
}

/** All commands by name, the one that is asked for with all that it does. */
async function appFor(word: string | undefined, io: CommandIo) {
  const listed = Object.entries(descriptions).map(([name, description]) => {
    return [name, command({ name, description, args: {}, handler: async () => 0 })] as const;
  });
  const cmds = Object.fromEntries<Awaited<ReturnType<typeof loadCommand>> | (typeof listed)[number][1]>(listed);
  if (isCommandName(word)) cmds[word] = await loadCommand(word, io);
  return subcommands({ name: "levin", description: "Bulk importer for TiDB and TiKV.", cmds });
}

/** Names of what the commands take: options with a value, and flags without. */
function namesOf(app: Awaited<ReturnType<typeof appFor>>) {
  const known = {
    forceFlagLongNames: new Set<string>(),
    forceFlagShortNames: new Set<string>(),
    forceOptionLongNames: new Set<string>(),
    forceOptionShortNames: new Set<string>(),
  };
  app.register(known);
  return known;
}

/** An option that no command has is named with the nearest one; cmd-ts would show the words around it and no more. */
function demandKnown(known: ReturnType<typeof namesOf>, words: readonly string[]): void {
  const options = known.forceOptionLongNames;
  const all = new Set([...options, ...known.forceFlagLongNames, "help", "version"]);
  for (let i = 0; i < words.length && words[i] !== "--"; i++) {
    const found = /^--([^=]+)(=?)/.exec(words[i]!);
    if (found === null) continue;
    const [, name, equals] = found;
    if (!all.has(name!)) {
      const near = nearestOf(name!, all);
      const hint = near === undefined ? "" : `; did you mean --${near}?`;
      throw new LevinError("Levin:Command:ErrUsage", `Cannot use --${name}: there is no such option${hint}`);
    }
    if (equals === "" && options.has(name!)) i++;
  }
}

/** An option at the very end without its value is an error; cmd-ts takes it for one that was not given. */
function demandLastValue(known: ReturnType<typeof namesOf>, words: readonly string[]): void {
  const last = words.at(-1) ?? "";
  const long = /^--([^=]+)$/.exec(last)?.[1];
  const short = /^-([^-])$/.exec(last)?.[1];
  const needsValue =
    (long !== undefined && known.forceOptionLongNames.has(long) && !known.forceFlagLongNames.has(long)) ||
    (short !== undefined && known.forceOptionShortNames.has(short) && !known.forceFlagShortNames.has(short));
  if (needsValue && !words.includes("--"))
    throw new LevinError("Levin:Command:ErrUsage", `Cannot use ${last}: its value is missing`);
}

/** cmd-ts's words, where others say more. */
const SAID: Readonly<Record<string, string>> = {
  "not a valid subcommand name": "there is no such command",
  "unknown arguments": "nothing takes this word",
  "too many times provided. Expected 1, got: 2": "it is given twice",
};

/** cmd-ts draws its errors below the command line, or numbers them; what they say is made one of levin's. */
function usageError(drawn: string): LevinError {
  const raw = stripVTControlCharacters(drawn).split("\n");
  const lines = raw.map((line) => line.trim());
  const shown = lines.findIndex((_, i) => /^[~^]/.test(lines[i + 1] ?? ""));
  const words = lines[shown] ?? "";
  // The mark below stands where the word begins.
  const wrong = raw[shown]?.slice(raw[shown + 1]!.search(/[~^]/)).split(" ")[0] ?? "";
  const said = lines
    .map((line) => /^(?:\d+\.|[~^]+) (.+)$/.exec(line)?.[1] ?? /^Did you mean .+$/i.exec(line)?.[0])
    .filter((text) => text !== undefined)
    .map((text) => text.replace(/^[A-Z]/, (first) => first.toLowerCase()).replace(/[?.]$/, ""))
    .map((text) => SAID[text] ?? text);
  const at = wrong === "" || wrong === words ? "" : ` at "${wrong}"`;
  const where = words === "" ? "" : ` "${words}"${at}`;
  return new LevinError("Levin:Command:ErrUsage", `Cannot read the command line${where}: ${said.join("; ")}`);
}

/** Runs one command line (`argv` without executable and script); the exit code. */
export async function runCli(argv: readonly string[], executable: string, io: CommandIo): Promise<number> {
  let words = normalizeFlags(argv);
  if (isLightningName(executable, "-ctl")) words = ["ctl", ...words];
  if (isLightningName(executable))
    words = words[0] === "-V" ? ["version"] : ["import", "--compat", "lightning", ...words];
  if (words[0] === "-V" || words[0] === "--version") words = ["version"];
  if (words.length === 0 || words[0] === "help") words = helpWords(words.slice(1), Object.keys(descriptions));
  try {
    demandCommand(words[0]);
    const app = await appFor(words[0], io);
    const known = namesOf(app);
    const flags = new Set([...known.forceFlagLongNames].filter((name) => !known.forceOptionLongNames.has(name)));
    words = joinBooleans(words, booleanOptions, flags);
    if (isCommandName(words[0])) demandKnown(known, words);
    demandLastValue(known, words);
    const result = await runSafely(app, words);
    if (result._tag === "ok") return await exitCodeOf(result.value);
    const { exitCode, message } = result.error.config;
    if (exitCode !== 0) throw usageError(message);
    io.stdout.write(`${message}\n`);
    return 0;
  } catch (error) {
    return reportError(io, error, isCommandName(words[0]) ? words[0] : undefined);
  }
}
