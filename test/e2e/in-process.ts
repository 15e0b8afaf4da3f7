/** The command line in this process: a sandbox that stays, and commands that run against it. */
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { systemClock, systemFiles, systemRandom } from "../../src/base/mod.ts";
import { type CommandIo, runCli } from "../../src/cli/mod.ts";
import { openSandbox, type RunningSandbox } from "../../src/cli/sandbox.ts";
import { type EncodePort, EncodeTask, type FromWorker, type WorkerSetup } from "../../src/importer/mod.ts";
import { openLevelKvDb } from "../../src/kvdb/mod.ts";
import { openSource } from "../../src/source/mod.ts";

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** An encode worker in this thread: starting one takes longer than a small import. */
export function inlineEncoder(setup: WorkerSetup): EncodePort {
  let isOpen = true;
  let send: (message: FromWorker) => void = () => undefined;
  const world = {
    openStorage: openSource,
    openKvDb: openLevelKvDb,
    files: systemFiles,
    collectGarbage: () => undefined,
  };
  const task = new EncodeTask(setup, world, (message) => {
    if (isOpen) send(message);
  });
  return {
    post: (message) => task.take(message),
    listen: (onMessage) => {
      send = onMessage;
    },
    close: async () => {
      isOpen = false;
    },
  };
}

/** What a command in this process sees of the outside; nothing of it is printed. */
export function commandIo(more: Partial<CommandIo> = {}): CommandIo {
  return {
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    terminal: undefined,
    environment: {},
    clock: systemClock,
    random: systemRandom,
    signal: new AbortController().signal,
    version: "0.0.0-test",
    pid: process.pid,
    encodeWorker: new URL("../../src/importer/encode/encode-worker.ts", import.meta.url),
    ...more,
  };
}

/** One command line. */
export async function levin(words: readonly string[], more: Partial<CommandIo> = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const io = commandIo({
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    ...more,
  });
  const code = await runCli(words, "levin", io);
  return { code, out: out.join(""), err: err.join("") };
}

/** An embedded cluster with a connection to its SQL front, in a directory of its own. */
export class Place {
  readonly dir = fs.mkdtempSync(join(os.tmpdir(), "levin-place-"));
  sandbox!: RunningSandbox;
  sql!: mysql.Connection;
  #count = 0;

  static async open(): Promise<Place> {
    const place = new Place();
    place.sandbox = await openSandbox(commandIo(), { dir: join(place.dir, "cluster"), stores: 1 });
    const { host, port } = place.sandbox.front;
    place.sql = await mysql.createConnection({
      host,
      port,
      user: "root",
      rowsAsArray: true,
      // Text protocol, the bytes as they come.
      typeCast: (field: { buffer(): Buffer | null }) => field.buffer(),
    });
    return place;
  }

  /** Flags that lead into the sandbox, with a new state directory. */
  target(): string[] {
    const { host, port, statusPort } = this.sandbox.front;
    return [
      `--tidb-host=${host}`,
      `--tidb-port=${port}`,
      `--tidb-status=${statusPort}`,
      `--pd-urls=${this.sandbox.pd.join(",")}`,
      `--state-dir=${this.path("state")}`,
    ];
  }

  /** A path below the place that nobody has. */
  path(name: string): string {
    return join(this.dir, `${name}-${this.#count++}`);
  }

  /** Writes files below a new directory. */
  folder(files: Iterable<readonly [path: string, content: string | Uint8Array]>): string {
    const dir = this.path("source");
    fs.mkdirSync(dir, { recursive: true });
    for (const [path, content] of files) {
      fs.mkdirSync(join(dir, path, ".."), { recursive: true });
      fs.writeFileSync(join(dir, path), content);
    }
    return dir;
  }

  file(name: string, content: string | Uint8Array): string {
    return join(this.folder([[name, content]]), name);
  }

  /** `levin import` of a source under a configuration, all in this thread. */
  import(source: string, toml: string, ...flags: string[]): Promise<Ran> {
    const config = this.file("levin.toml", toml);
    const words = ["import", source, "-c", config, "--workers=1", "--memory=128MiB", ...this.target(), ...flags];
    return levin(words, { encodeWorker: inlineEncoder });
  }

  /** Rows as the server sends them: bytes or null. */
  async rows(query: string): Promise<(Buffer | null)[][]> {
    const [rows] = await this.sql.query(query);
    return rows as unknown as (Buffer | null)[][];
  }

  async close(): Promise<void> {
    this.sql.destroy();
    await this.sandbox.close();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
