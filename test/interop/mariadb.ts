/** A private MariaDB server on a port of the loopback, for tests of statements; Debian's mariadb-server. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectTidb, type Tidb } from "../../src/tidb/mod.ts";

const SERVER = ["/usr/sbin/mariadbd", "/usr/sbin/mysqld"].find((path) => existsSync(path));
const INSTALL = ["/usr/bin/mariadb-install-db", "/usr/bin/mysql_install_db"].find((path) => existsSync(path));
const START_LIMIT_MS = 30_000;

export const mariadbMissing = SERVER === undefined || INSTALL === undefined;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Starts a server, gives it to `use`, stops it and removes its files. */
export async function withMariadb<T>(use: (tidb: Tidb, port: number) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "levin-mariadb-"));
  let server: ChildProcess | undefined;
  try {
    const data = join(dir, "data");
    const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];
    const install = spawnSync(
      INSTALL!,
      ["--no-defaults", `--datadir=${data}`, "--auth-root-authentication-method=normal", "--skip-test-db", ...asRoot],
      {
        encoding: "utf8",
      },
    );
    if (install.status !== 0) throw new Error(`mariadb-install-db failed: ${install.stderr}${install.stdout}`);
    const port = await freePort();
    server = spawn(
      SERVER!,
      [
        "--no-defaults",
        `--datadir=${data}`,
        `--socket=${join(dir, "s")}`,
        `--port=${port}`,
        "--bind-address=127.0.0.1",
        `--pid-file=${join(dir, "pid")}`,
        "--innodb-buffer-pool-size=32M",
        "--max-allowed-packet=64M",
        ...asRoot,
      ],
      { stdio: "ignore" },
    );
    const tidb = await connect(port);
    try {
      return await use(tidb, port);
    } finally {
      await tidb.close();
    }
  } finally {
    if (server !== undefined) {
      const ended = new Promise((resolve) => server!.once("exit", resolve));
      server.kill("SIGKILL");
      await ended;
    }
    rmSync(dir, { recursive: true, force: true });
  }
}

async function connect(port: number): Promise<Tidb> {
  const options = { host: "127.0.0.1", port, user: "root", password: "", connectionsMax: 2, connectTimeoutMs: 2000 };
  for (const started = performance.now(); ; ) {
    try {
      return await connectTidb(options);
    } catch (error) {
      if (performance.now() - started > START_LIMIT_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
