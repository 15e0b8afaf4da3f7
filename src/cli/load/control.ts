import { existsSync } from "node:fs";
import { join } from "node:path";
import { command, flag, optional, positional, string } from "cmd-ts";
import { LevinError } from "../../base/mod.ts";
import { askControl, type LoadStatus, type UnitDetail } from "../../load/mod.ts";
import { readJson } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { sizeText } from "../output/text.ts";
import { stateDirectory } from "../state-dir.ts";
import { acceptArgs, acceptanceOf } from "./accept.ts";
import { type AllRunArgs, EXIT_INTERRUPTED, runLoad } from "./run.ts";
import { killedLines, killedLoad } from "./running.ts";
import { errorLine, type LoadSummary, readSummary, summaryLines } from "./summary.ts";
import { loadTask, type TaskArgs, taskArgs } from "./task.ts";

const WATCH_MS = 1_000;

const stateArg = {
  dir: positional({
    type: optional(string),
    displayName: "STATE-DIR",
    description: "state directory; or name the task with -c and --source",
  }),
};

/** Names the task as `run` does; the positional state directory takes the place of `--dir`'s name here. */
const namingArgs = { ...stateArg, config: taskArgs.config, source: taskArgs.source, task: taskArgs.task };

type NamingArgs = {
  dir: string | undefined;
  config: string | undefined;
  source: string | undefined;
  task: string | undefined;
};

function stateDirNamed(io: CommandIo, args: NamingArgs): string {
  if (args.dir !== undefined) return stateDirectory("use", args.dir);
  if (args.config === undefined) {
    const message = "Cannot find the load: say its STATE-DIR, or its task by -c and --source";
    throw new LevinError("Levin:Command:ErrUsage", message);
  }
  const empty = Object.fromEntries(Object.keys(taskArgs).map((key) => [key, undefined])) as TaskArgs;
  // The target is not asked, so its password need not be known.
  const named = { config: args.config, source: args.source, task: args.task, password: "" };
  return loadTask(io, { ...empty, ...named }).stateDir;
}

async function ask(
  io: CommandIo,
  stateDir: string,
  request: { command: string; [name: string]: unknown },
): Promise<Record<string, unknown>> {
  const answer = await askControl(stateDir, request, { clock: io.clock });
  if (answer !== undefined) return answer;
  throw new LevinError(
    "Levin:Load:ErrControl",
    `Cannot ${request.command} the load of "${stateDir}": no load runs there`,
  );
}

interface StatusAnswer {
  state: string;
  task: string;
  source: string;
  status: Record<keyof LoadStatus, string>;
  detail: UnitDetail;
}

/** `levin load status`: DM's LoadStatus and what levin knows beyond it. */
export const statusCommand = (io: CommandIo) =>
  command({
    name: "status",
    description: "Show how far a load is; of one that has ended, how it ended.",
    args: {
      ...namingArgs,
      json: flag({ long: "json", description: "as one JSON line: state, DM's status, detail" }),
      watch: flag({ long: "watch", description: "again every second until the load ends" }),
    },
    handler: async ({ json, watch, ...args }) => {
      const stateDir = stateDirNamed(io, args);
      while (true) {
        const answer = await askControl(stateDir, { command: "status" }, { clock: io.clock });
        if (answer === undefined) {
          const killed = await killedLoad(stateDir);
          if (killed !== undefined) {
            io.stdout.write(json ? `${JSON.stringify(killed)}\n` : killedLines(stateDir, killed));
            return 0;
          }
          const summary = lastSummary(stateDir);
          io.stdout.write(json ? `${JSON.stringify(summary)}\n` : summaryLines(summary));
          return 0;
        }
        const { ok: _, ...found } = answer;
        io.stdout.write(json ? `${JSON.stringify(found)}\n` : linesOf(found as unknown as StatusAnswer));
        if (!watch) return 0;
        await io.clock.sleep(WATCH_MS, io.signal).catch(() => undefined);
        if (io.signal.aborted) return EXIT_INTERRUPTED;
      }
    },
  });

function lastSummary(stateDir: string): LoadSummary {
  const found = readSummary(stateDir);
  if (found !== undefined) return found;
  throw new LevinError(
    "Levin:Load:ErrControl",
    `Cannot show the load of "${stateDir}": none runs there, and none has ended there`,
  );
}

function linesOf({ state, task, source, status, detail }: StatusAnswer): string {
  const speed = Number(status.bps) > 0 ? `, ${sizeText(Number(status.bps))}/s` : "";
  const eta = detail.etaSeconds === undefined ? "" : `, ${detail.etaSeconds} s left`;
  const lines = [
    `${task}, ${source}: ${state}, ${detail.phase}${detail.table === "" ? "" : ` (${detail.table})`}`,
    `${status.progress} of ${sizeText(Number(status.totalBytes))}, ${detail.rows} rows${speed}${eta}`,
  ];
  if (status.metaBinlog !== "")
    lines.push(`position ${status.metaBinlog}${status.metaBinlogGTID === "" ? "" : `, gtid ${status.metaBinlogGTID}`}`);
  if (detail.waitingFor.length > 0) lines.push(`waiting for ${detail.waitingFor.join(", ")}`);
  if (detail.lastError !== undefined) lines.push(errorLine(detail.lastError));
  return `${lines.join("\n")}\n`;
}

/** A command that the running load does. */
const simple = (io: CommandIo, name: "pause" | "stop" | "update", description: string) =>
  command({
    name,
    description,
    args: namingArgs,
    handler: async (args) => {
      const answer = await ask(io, stateDirNamed(io, args), { command: name });
      io.stdout.write(`${answer["state"] ?? "updated"}\n`);
      return 0;
    },
  });

export const pauseCommand = (io: CommandIo) =>
  simple(io, "pause", "Pause a load; its process stays and waits for resume or stop.");
export const stopCommand = (io: CommandIo) => simple(io, "stop", "End the process of a load; its state is kept.");
export const updateCommand = (io: CommandIo) =>
  simple(io, "update", "Have a load take filter and routes of its task file; they stand from its next run on.");

/** `levin load resume`: tells the process that waits; where none does, begins one as it was begun before. */
export const resumeCommand = (io: CommandIo) =>
  command({
    name: "resume",
    description: "Go on with a load that was paused, has failed, or whose process has ended.",
    args: {
      ...namingArgs,
      ...acceptArgs,
      json: flag({ long: "json", description: "events as JSON lines, where this process loads" }),
    },
    handler: async ({ json, ...args }) => {
      const stateDir = stateDirNamed(io, args);
      const acceptance = acceptanceOf(args);
      const answer = await askControl(
        stateDir,
        { command: "resume", ...(acceptance === undefined ? {} : { acceptance }) },
        { clock: io.clock },
      );
      if (answer !== undefined) {
        io.stdout.write(`${answer["state"]}\n`);
        return 0;
      }
      const path = join(stateDir, "load.json");
      if (!existsSync(path)) {
        const message = `Cannot resume the load of "${stateDir}": none has begun there`;
        throw new LevinError("Levin:Load:ErrControl", message);
      }
      const kept = readJson(path, "how the load was begun") as AllRunArgs;
      const { acceptDuplicates, acceptChecksumMismatch } = args;
      return runLoad(io, { ...kept, json, stateDir, acceptDuplicates, acceptChecksumMismatch });
    },
  });
