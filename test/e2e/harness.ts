import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";

const root = new URL("../..", import.meta.url).pathname;

/** The executable, copied alone to a directory of its own, so that nothing of the source tree can help it. */
export function isolatedBinary(): { dir: string; levin: string } {
  const built = join(root, "dist/levin");
  if (!fs.existsSync(built)) throw new Error("dist/levin is missing: run `npm run build` (the gate does)");
  const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-e2e-"));
  const levin = join(dir, "levin");
  fs.copyFileSync(built, levin);
  fs.chmodSync(levin, 0o755);
  return { dir, levin };
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

export const dataDir = join(root, "test/data");

/** Runs the binary to its end with an empty environment but for what is given; killed after a minute. */
export function run(
  levin: string,
  args: string[],
  options: {
    env?: Record<string, string>;
    cwd?: string;
    /** SIGINT so long after the first output. */
    signalAfterMs?: number;
  } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(levin, args, { env: options.env ?? {}, cwd: options.cwd, stdio: ["ignore", "pipe", "pipe"] });
    const out: string[] = [];
    const err: string[] = [];
    child.stdout.on("data", (part) => out.push(String(part)));
    child.stderr.on("data", (part) => err.push(String(part)));
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    let interrupt: ReturnType<typeof setTimeout> | undefined;
    // Not before the first output: a program that has not begun yet dies of the signal like any other.
    const begun = (): void => {
      if (options.signalAfterMs !== undefined)
        interrupt ??= setTimeout(() => child.kill("SIGINT"), options.signalAfterMs);
    };
    child.stdout.once("data", begun);
    child.stderr.once("data", begun);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      clearTimeout(interrupt);
      resolve({ code, signal, out: out.join(""), err: err.join("") });
    });
  });
}

export interface SandboxAddresses {
  tidb: { host: string; port: number };
  status: { host: string; port: number };
  pd: string[];
  tikv: string[];
  /** Paths for clients, with `--tls`. */
  tls?: { ca: string; cert: string; key: string };
}

/** `levin sandbox` in a process of its own, with more flags where they are given. */
export async function startSandboxProcess(
  levin: string,
  dir: string,
  stores: number,
  more: string[] = [],
): Promise<SandboxAddresses & { child: ChildProcess; stop(): Promise<void> }> {
  const child = spawn(levin, ["sandbox", "--dir", dir, "--stores", String(stores), "--json", ...more], {
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (part) => {
      text += String(part);
      if (text.includes("\n")) resolve(text);
    });
    child.on("close", (code) => reject(new Error(`the sandbox ended with ${code}`)));
  });
  return {
    ...(JSON.parse(line) as SandboxAddresses),
    child,
    stop: () =>
      new Promise((resolve) => {
        child.on("close", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}

/** Some megabytes in a table `t` with an index, so that there is time to do something meanwhile; a database of its own. */
export function makeLargeDump(dir: string, database: string): string {
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(join(dir, `${database}-schema-create.sql`), `CREATE DATABASE ${database};`);
  fs.writeFileSync(
    join(dir, `${database}.t-schema.sql`),
    "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(90), KEY v (v));",
  );
  const rows = Array.from(
    { length: 25_000 },
    (_, i) => `${i},${((i * 2654435761) % 2 ** 32).toString(16).repeat(6)}\n`,
  );
  fs.writeFileSync(join(dir, `${database}.t.csv`), `id,v\n${rows.join("")}`);
  return dir;
}

export interface Begun {
  child: ChildProcess;
  /** Resolves when an event of the kind has been seen; rejects when the process ends without. */
  seen(kind: string): Promise<void>;
  ended: Promise<{ code: number | null; signal: string | null; err: string }>;
}

/** Starts a command that prints events as JSON lines. */
export function begin(levin: string, args: string[]): Begun {
  const child = spawn(levin, args, { env: {}, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (part) => {
    out += String(part);
  });
  child.stderr.on("data", (part) => {
    err += String(part);
  });
  const ended = new Promise<Awaited<Begun["ended"]>>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, err })),
  );
  const seen = (kind: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (out.includes(`"kind":"${kind}"`)) resolve();
      };
      child.stdout.on("data", look);
      void ended.then(() => reject(new Error(`it ended before an event "${kind}": ${err}`)));
      look();
    });
  return { child, seen, ended };
}

export function targetFlags(sandbox: SandboxAddresses): string[] {
  const { tidb, status, pd } = sandbox;
  return [
    "--tidb-host",
    tidb.host,
    "--tidb-port",
    String(tidb.port),
    "--tidb-status",
    String(status.port),
    "--pd-urls",
    pd.join(","),
  ];
}

export function connect(sandbox: { tidb: { host: string; port: number } }): Promise<mysql.Connection> {
  return mysql.createConnection({
    host: sandbox.tidb.host,
    port: sandbox.tidb.port,
    user: "root",
    rowsAsArray: true,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
}
