/** Units of one task as processes of their own, as `levin load run` starts them. */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { writeDump } from "../load/support.ts";

export interface TaskPlace {
  /** Everything of the task lies here. */
  dir: string;
  levin: string;
  host: string;
  port: number;
  /** 0: the target is no TiDB, and statements bring the rows in. */
  statusPort: number;
}

/** A DM task file with so many sources, each with its own dump of ten rows. */
export function writeTask({ dir, host, port, statusPort }: TaskPlace, task: string, size: number): string {
  const mode = statusPort === 0 ? "logical" : "physical";
  const instances = Array.from({ length: size }, (_, i) => {
    const dump = join(dir, task, `dump${i + 1}`);
    writeDump(
      `${dump}.${task}`,
      Array.from({ length: 10 }, (_, row) => [10 * i + row, `s${i + 1}`] as [number, string]),
    );
    return `  - source-id: source${i + 1}\n    route-rules: [all]\n    loader: { dir: "${dump}", import-mode: ${mode}, pool-size: 1 }\n`;
  });
  const path = join(dir, `${task}.yaml`);
  const status = statusPort === 0 ? "" : `status-port: ${statusPort}, `;
  fs.writeFileSync(
    path,
    `name: ${task}
task-mode: all
target-database: { host: "${host}", port: ${port}, ${status}user: root }
routes: { all: { schema-pattern: d, target-schema: ${task} } }
mysql-instances:
${instances.join("")}`,
  );
  return path;
}

export class Unit {
  readonly #levin: string;
  readonly #task: string;
  readonly #source: string;
  readonly #words: string[];
  readonly state: string;
  #child!: ChildProcess;
  ended!: Promise<number | null>;
  err = "";

  constructor({ dir, levin }: TaskPlace, task: string, file: string, source: string, coord: readonly string[]) {
    this.#levin = levin;
    this.#task = task;
    this.#source = source;
    this.state = join(dir, task, `state-${source}`);
    this.#words = [
      "load",
      "run",
      "-c",
      file,
      "--source",
      source,
      "--state-dir",
      this.state,
      "--worker",
      `worker-of-${source}`,
      ...coord,
    ];
  }

  start(): void {
    const child = spawn(this.#levin, this.#words, { env: {}, stdio: ["ignore", "ignore", "pipe"] });
    this.err = "";
    child.stderr.on("data", (part) => {
      this.err += String(part);
    });
    this.#child = child;
    this.ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
  }

  /** Of the log: what it waits for is said there. */
  said(what: RegExp): boolean {
    const path = join(this.state, "levin.log");
    return fs.existsSync(path) && what.test(fs.readFileSync(path, "utf8"));
  }

  forget(): void {
    fs.rmSync(join(this.state, "levin.log"), { force: true });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  get title(): string {
    return `${this.#task} ${this.#source}`;
  }
}
