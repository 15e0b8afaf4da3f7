import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, flag, option, optional, string, subcommands } from "cmd-ts";
import { LevinError, systemFiles } from "../../base/mod.ts";
import {
  askControl,
  clearLoadCheckpoint,
  isLocalPath,
  localPath,
  readLoadCheckpoint,
  removalStatements,
  type SubTask,
  toDmError,
  writeLoadCheckpoint,
} from "../../load/mod.ts";
import { connectTidb, type Tidb } from "../../tidb/mod.ts";
import { readJson } from "../import-options.ts";
import type { CommandIo } from "../io.ts";
import { failureOf } from "./failure.ts";
import { killedLoad } from "./running.ts";
import { errorLine, readSummary } from "./summary.ts";
import { coordArgs, type LoadTask, loadTask, taskArgs } from "./task.ts";
import { openCoord, targetOf } from "./world.ts";

const yesArg = { yes: flag({ long: "yes", description: "do it; without, only say what would be done" }) };

/** Runs with a connection to the target; DM's errors become the command's. */
async function withTarget<T>(subtask: SubTask, use: (tidb: Tidb) => Promise<T>): Promise<T> {
  const tidb = await connectTidb(targetOf(subtask));
  try {
    return await use(tidb);
  } catch (thrown) {
    if (thrown instanceof LevinError) throw thrown;
    throw failureOf(toDmError(thrown), `${subtask.name}, ${subtask.sourceId}`);
  } finally {
    await tidb.close();
  }
}

async function refuseRunning(io: CommandIo, { stateDir }: LoadTask, what: string): Promise<void> {
  if ((await askControl(stateDir, { command: "ping" }, { clock: io.clock })) === undefined) return;
  throw new LevinError(
    "Levin:State:ErrLocked",
    `Cannot ${what} the load of "${stateDir}": it runs; say levin load stop first`,
  );
}

/** What the state directory says of the load's process: the target's words outlive it. */
async function nowOf(io: CommandIo, stateDir: string): Promise<string> {
  const running = await askControl(stateDir, { command: "ping" }, { clock: io.clock });
  if (running !== undefined) return `a process loads in ${stateDir}`;
  const killed = await killedLoad(stateDir);
  if (killed !== undefined) return `no process loads in ${stateDir}: it was killed (or its host went down)`;
  const summary = readSummary(stateDir);
  const ended = summary === undefined ? "none has ended there" : `the last one ${summary.state} at ${summary.endedAt}`;
  return `no process loads in ${stateDir}: ${ended}`;
}

const showCommand = (io: CommandIo) =>
  command({
    name: "show",
    description: "What the target says of the load: DM's list and levin's row beside it.",
    args: { ...taskArgs, json: flag({ long: "json", description: "as one JSON line, as export writes it" }) },
    handler: async (args) => {
      const { subtask, stateDir } = loadTask(io, args);
      const found = await withTarget(subtask, (tidb) => readLoadCheckpoint(tidb, subtask));
      if (args.json) io.stdout.write(`${JSON.stringify(found)}\n`);
      else {
        const { status, record } = found;
        const lines = [`${found.task}, ${found.source}: ${status ?? "no row"}`];
        if (record !== undefined) {
          lines.push(`phase ${record.phase}, by ${record.owner} at ${new Date(record.updatedMs).toISOString()}`);
          if (record.position !== "")
            lines.push(`position ${record.position}${record.gtid === "" ? "" : `, gtid ${record.gtid}`}`);
          if (record.errorCode !== 0) lines.push(`error ${record.errorCode}: ${record.errorText}`);
          if (record.accepted !== "") lines.push(record.accepted);
        }
        lines.push(`this is what the target remembers; ${await nowOf(io, stateDir)}`);
        io.stdout.write(`${lines.join("\n")}\n`);
      }
      return 0;
    },
  });

const fileOption = option({
  type: optional(string),
  long: "file",
  description: "JSON file; default: standard output or input",
});

const exportCommand = (io: CommandIo) =>
  command({
    name: "export",
    description: "Write what the target says of the load as JSON.",
    args: { ...taskArgs, file: fileOption },
    handler: async (args) => {
      const { subtask } = loadTask(io, args);
      const found = await withTarget(subtask, (tidb) => readLoadCheckpoint(tidb, subtask));
      const text = `${JSON.stringify(found, null, 2)}\n`;
      if (args.file === undefined) io.stdout.write(text);
      else writeFileSync(args.file, text);
      return 0;
    },
  });

const importCommand = (io: CommandIo) =>
  command({
    name: "import",
    description: "Make the target say of the load what a file says that export has written.",
    args: { ...taskArgs, ...yesArg, file: option({ type: string, long: "file", description: "JSON file" }) },
    handler: async (args) => {
      const task = loadTask(io, args);
      await refuseRunning(io, task, "change");
      const { subtask } = task;
      const given: unknown = readJson(args.file, "the checkpoint");
      if (!args.yes) {
        io.stdout.write(`would write ${JSON.stringify(given)}\nnothing was written: say --yes to do it\n`);
        return 0;
      }
      await withTarget(subtask, (tidb) =>
        writeLoadCheckpoint(tidb, subtask, given).catch((thrown: unknown) => {
          const message = `Cannot import "${args.file}": ${(thrown as Error).message}`;
          throw new LevinError("Levin:Command:ErrUsage", message, { cause: thrown });
        }),
      );
      io.stdout.write("written\n");
      return 0;
    },
  });

const clearCommand = (io: CommandIo) =>
  command({
    name: "clear",
    description: "Remove this source's rows: the target says no more that it was loaded.",
    args: { ...taskArgs, ...yesArg },
    handler: async (args) => {
      const task = loadTask(io, args);
      await refuseRunning(io, task, "change");
      const { subtask } = task;
      await withTarget(subtask, async (tidb) => {
        const { status, record } = await readLoadCheckpoint(tidb, subtask);
        if (status === undefined && record === undefined) {
          io.stdout.write(`there is nothing of ${subtask.name}, ${subtask.sourceId} to remove\n`);
          return;
        }
        io.stdout.write(
          `${args.yes ? "removed" : "would remove"} the rows of ${subtask.name}, ${subtask.sourceId} (${status ?? "no row"})\n`,
        );
        if (args.yes) await clearLoadCheckpoint(tidb, subtask);
        else io.stdout.write("nothing was removed: say --yes to do it\n");
      });
      return 0;
    },
  });

export const checkpointCommand = (io: CommandIo) =>
  subcommands({
    name: "checkpoint",
    description: "What the target remembers of a load.",
    cmds: { show: showCommand(io), export: exportCommand(io), import: importCommand(io), clear: clearCommand(io) },
  });

/** `levin load reset`: DM's `start-task --remove-meta`, with the engine's own state. */
export const resetCommand = (io: CommandIo) =>
  command({
    name: "reset",
    description: "Forget a task: its tables in the target, its coordination, the engine's state. Rows and dump stay.",
    args: { ...taskArgs, ...coordArgs, ...yesArg },
    handler: async (args) => {
      const task = loadTask(io, args);
      const { subtask, stateDir } = task;
      await refuseRunning(io, task, "reset");
      let said = 0;
      const say = (what: string): void => {
        said++;
        io.stdout.write(`${args.yes ? "removed" : "would remove"} ${what}\n`);
      };
      await withTarget(subtask, async (tidb) => {
        for (const statement of await removalStatements(tidb, subtask)) {
          if (args.yes) await tidb.query(statement);
          say(`in the target: ${statement}`);
        }
      });
      const { dir, sortingDirPhysical } = subtask.loader;
      const paths = [
        join(stateDir, "import"),
        join(stateDir, "summary.json"),
        join(stateDir, "running.json"),
        join(stateDir, "load.json"),
        join(stateDir, "levin.log"),
      ];
      if (isLocalPath(dir)) paths.push(join(localPath(dir), "tidb_lightning_checkpoint.pb"));
      if (subtask.loader.importMode === "physical") paths.push(sortingDirPhysical);
      for (const path of paths.filter((one) => existsSync(one))) {
        if (args.yes) await systemFiles.removeTree(path);
        say(path);
      }
      if (args.etcd !== undefined || args.coord !== undefined) {
        const coord = await openCoord(io, task, args);
        try {
          if (args.yes) await coord.clear();
        } finally {
          await coord.close();
        }
        say(`the coordination of ${subtask.name}`);
      }
      const { name, sourceId } = subtask;
      if (said === 0) io.stdout.write(`there is nothing of ${name}, ${sourceId} to remove\n`);
      else {
        io.stdout.write(
          "rows that were brought in stay in the target's tables: empty these before the next run (TRUNCATE TABLE), or where no key is in the way rows come twice\n",
        );
        if (!args.yes) io.stdout.write("nothing was removed: say --yes to do it\n");
      }
      return 0;
    },
  });

const SHOWN = 20;

/** `levin load errors`: the last failure, and the rows that were in each other's way or could not be cast. */
export const errorsCommand = (io: CommandIo) =>
  command({
    name: "errors",
    description: "The last error of a load, and its reports of conflicting and rejected rows.",
    args: { ...taskArgs, json: flag({ long: "json", description: "everything as JSON lines" }) },
    handler: async (args) => {
      const { subtask, stateDir } = loadTask(io, args);
      const { record } = await withTarget(subtask, (tidb) => readLoadCheckpoint(tidb, subtask));
      const { errorCode: code = 0, errorText = "", accepted = "", phase = "init" } = record ?? {};
      // What went wrong around the import is not in the target.
      const around = code === 0 && phase !== "finished" ? (readSummary(stateDir)?.errors ?? []) : [];
      if (args.json) io.stdout.write(`${JSON.stringify({ code, message: errorText, phase, accepted, around })}\n`);
      else if (code !== 0) io.stdout.write(`error ${code}: ${errorText}\n`);
      else if (around.length > 0) for (const error of around) io.stdout.write(`${errorLine(error)}\n`);
      else io.stdout.write(`no error${accepted === "" ? "" : ` (${accepted})`}\n`);
      const reports = join(stateDir, "import", "reports");
      for (const name of (await systemFiles.list(reports)).filter((one) => one.endsWith(".ndjson"))) {
        const lines = readFileSync(join(reports, name), "utf8")
          .split("\n")
          .filter((line) => line !== "");
        if (args.json) for (const line of lines) io.stdout.write(`${line}\n`);
        else {
          io.stdout.write(`${join(reports, name)}: ${lines.length} rows\n`);
          for (const line of lines.slice(0, SHOWN)) io.stdout.write(`  ${line}\n`);
        }
      }
      return 0;
    },
  });
