/** Debian's etcd-server in a process of its own, which can be stopped and started again with its data. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ETCD = ["/usr/bin/etcd", "/usr/local/bin/etcd"].find((path) => existsSync(path));
export const etcdMissing = ETCD === undefined;

/** What a machine without etcd prints; where it must be there, it is a failure. */
export function skipped(what: string): void {
  if (process.env["LEVIN_INTEROP"] === "require") throw new Error(`${what} is not installed`);
  console.log(`SKIPPED: ${what} is not installed`);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<net.Server>((resolve) => {
          const server = net.createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export class Etcd {
  readonly #dir = mkdtempSync(join(tmpdir(), "levin-etcd-"));
  readonly #ports: number[];
  #child: ChildProcess | undefined;

  private constructor(ports: number[]) {
    this.#ports = ports;
  }

  static async start(): Promise<Etcd> {
    const etcd = new Etcd(await freePorts(2));
    await etcd.up();
    return etcd;
  }

  get endpoint(): string {
    return `127.0.0.1:${this.#ports[0]}`;
  }

  async up(): Promise<void> {
    const [client, peer] = this.#ports.map((port) => `http://127.0.0.1:${port}`);
    this.#child = spawn(
      ETCD!,
      [
        ["--data-dir", join(this.#dir, "data")],
        ["--listen-client-urls", client!, "--advertise-client-urls", client!],
        ["--listen-peer-urls", peer!, "--initial-advertise-peer-urls", peer!, "--initial-cluster", `default=${peer}`],
        ["--unsafe-no-fsync", "--log-level", "error"],
      ].flat(),
      { stdio: "ignore" },
    );
    for (let i = 0; i < 200; i++) {
      if (await listens(this.#ports[0]!)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("etcd does not come up");
  }

  async down(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async close(): Promise<void> {
    await this.down();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
