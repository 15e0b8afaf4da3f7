import { hostname } from "node:os";
import { dirname } from "node:path";
import { type EventSink, type Files, joinPath, LevinError, utf8 } from "../base/mod.ts";
import {
  acquireLock,
  type Journal,
  type LockEnvironment,
  lockHolder,
  openJournal,
  readJournal,
} from "../checkpoint/mod.ts";
import { removeEngines } from "./engines.ts";
import { applyRecord, changesOf, emptyState, isUntouched, type JobState } from "./job-state.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import { differences, type Fingerprint, type JobRecord } from "./records.ts";

const FORMAT = "levin state 1\n";

/** What has been done, and where it is written down. */
export interface JobLog {
  readonly dir: string;
  readonly state: JobState;
  append(record: JobRecord): Promise<void>;
  /** When the job began that `--fresh` has forgotten: a killed run of it may have left its label rule. */
  readonly forgottenMs?: number | undefined;
  /** Called behind each record. */
  onAppend?: () => void;
}

/** The state directory of one import, held by this process. */
export class Job {
  readonly dir: string;
  readonly state: JobState;
  readonly #journal: Journal<JobRecord>;
  readonly #release: () => Promise<void>;
  readonly #emit: EventSink;
  readonly #files: Files;
  forgottenMs: number | undefined;
  /** Called after each record. */
  onAppend?: () => void;

  private constructor(
    dir: string,
    state: JobState,
    journal: Journal<JobRecord>,
    release: () => Promise<void>,
    { emit, files }: Pick<ImportEnvironment, "emit" | "files">,
  ) {
    this.dir = dir;
    this.state = state;
    this.#journal = journal;
    this.#release = release;
    this.#emit = emit;
    this.#files = files;
  }

  /**
   * Takes the directory and continues what is there, or begins anew. Throws `Levin:State:ErrLocked`, `ErrFormat`, and `ErrChanged` with
   * all differences when the state belongs to another import.
   */
  static async open(
    options: Pick<ImportOptions, "stateDir" | "sortedKvDir" | "fresh">,
    env: Pick<ImportEnvironment, "files" | "pid" | "clock" | "emit">,
  ): Promise<Job> {
    const { files } = env;
    const dir = options.stateDir;
    await files.makeDir(dir);
    // Who made it may have died before its name was on disk.
    await files.syncDir(dirname(dir));
    const lock = await acquireLock(files, lockPath(dir), await lockEnvironment(files, env.pid), env.clock);
    try {
      // One that cannot be read is forgotten too.
      const forgotten = options.fresh ? await readJob(files, dir).catch(() => undefined) : undefined;
      if (options.fresh) await forget(files, options);
      await checkFormat(files, dir);
      const { records, journal } = await openJournal<JobRecord>(files, joinPath(dir, "journal"));
      const state = emptyState();
      for (const record of records) applyRecord(state, record);
      const job = new Job(dir, state, journal, () => lock.release(), env);
      job.forgottenMs = forgotten?.startedMs;
      return job;
    } catch (error) {
      await lock.release().catch(() => undefined);
      throw error;
    }
  }

  /** Compares with the run that began the job, or begins it. */
  async begin(fingerprint: Fingerprint, nowMs: number, version: string): Promise<void> {
    const before = this.state.fingerprint;
    if (before === undefined) {
      await this.append({ type: "job", format: 1, fingerprint, startedMs: nowMs, version });
      return;
    }
    const found = changesOf(this.state, fingerprint);
    if (found.length === 0) {
      if (differences(before, fingerprint).length === 0) return;
      // Of chunks that were cut in another way.
      if (isUntouched(this.state)) await this.#files.removeTree(joinPath(this.dir, "reports"));
      await this.append({ type: "job", format: 1, fingerprint, startedMs: this.state.startedMs, version });
      return;
    }
    const shown = found.slice(0, 5).join("; ");
    const more = found.length > 5 ? `; and ${found.length - 5} more` : "";
    throw new LevinError("Levin:State:ErrChanged", `Cannot continue the import in "${this.dir}": ${shown}${more}`, {
      fields: { dir: this.dir, differences: found.length },
    });
  }

  /** On disk when it resolves; the state follows. Of a table's result nothing is lost but the work of verifying it again. */
  async append(record: JobRecord): Promise<void> {
    await this.#journal.append(record, { sync: record.type !== "table" });
    applyRecord(this.state, record);
    this.onAppend?.();
  }

  /**
   * Gives the directory back. Never throws, but says what it could not do: all records are on disk already, and a lock that cannot be
   * removed is taken over by the next run, as its owner is gone.
   */
  async close(): Promise<void> {
    await this.#journal.close().catch((thrown) => this.#say("Cannot close the journal", thrown));
    await this.#release().catch((thrown) =>
      this.#say("Cannot give back the lock; the next run on this host takes it over", thrown),
    );
  }

  #say(what: string, thrown: unknown): void {
    this.#emit({ kind: "log", level: "warn", message: `${what}: ${LevinError.from(thrown).message}` });
  }
}

/** What a state directory says, without touching it; undefined when it holds no job. */
export async function readJob(files: Files, dir: string): Promise<JobState | undefined> {
  const records = await readJournal<JobRecord>(files, joinPath(dir, "journal"));
  if (records.length === 0) return undefined;
  const state = emptyState();
  for (const record of records) applyRecord(state, record);
  return state;
}

/** The process that works at the job of a directory, for people; undefined: none does. `pid`: of this process. */
export async function jobHolder(files: Files, dir: string, pid: number): Promise<string | undefined> {
  return lockHolder(files, lockPath(dir), await lockEnvironment(files, pid));
}

const lockPath = (dir: string): string => joinPath(dir, "LOCK");

async function forget(files: Files, options: Pick<ImportOptions, "stateDir" | "sortedKvDir">): Promise<void> {
  await files.remove(joinPath(options.stateDir, "journal"));
  await removeEngines(files, options.sortedKvDir);
  await files.removeTree(joinPath(options.stateDir, "reports"));
}

async function checkFormat(files: Files, dir: string): Promise<void> {
  const path = joinPath(dir, "FORMAT");
  const found = await files.read(path);
  if (found === undefined) await files.replace(path, utf8(FORMAT));
  else if (new TextDecoder().decode(found) !== FORMAT) {
    throw new LevinError("Levin:State:ErrFormat", `Cannot use "${dir}": its format is not "${FORMAT.trim()}"`, {
      fields: { dir },
    });
  }
}

/** Field 22 of /proc/PID/stat is the start time; the name before it may hold anything but ends at the last parenthesis. */
async function startedOf(files: Files, pid: number): Promise<string | undefined> {
  const stat = await files.read(`/proc/${pid}/stat`).catch(() => undefined);
  if (stat === undefined) return undefined;
  const text = new TextDecoder().decode(stat);
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

async function lockEnvironment(files: Files, pid: number): Promise<LockEnvironment> {
  return {
    self: { host: hostname(), pid, started: (await startedOf(files, pid)) ?? "" },
    startedOf: (other) => startedOf(files, other),
  };
}
