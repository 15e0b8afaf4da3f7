import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Where setup.sh puts its virtual environments. */
const cache = process.env["LEVIN_INTEROP_DIR"] ?? join(process.env["TMPDIR"] ?? tmpdir(), "levin-interop");
const here = new URL(".", import.meta.url).pathname;

export const CORES = ["grpc-1.44.0", "grpc-newest"] as const;
export type Core = (typeof CORES)[number];

export interface Peer {
  readonly url: string;
  readonly port: number;
  freeze(): void;
  thaw(): void;
  /** SIGKILL. */
  kill(): void;
  /** SIGTERM; resolves when the process has ended. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function pythonOf(core: Core): string {
  return join(cache, core, "bin", "python");
}

function findEtcd(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, "etcd")).find((path) => existsSync(path) && statSync(path).isFile());
}

/** What setup.sh should have put here and did not. */
export function missing(): string[] {
  const out: string[] = CORES.filter((core) => !existsSync(pythonOf(core)));
  if (findEtcd() === undefined) out.push("etcd");
  return out;
}

/** Version of grpcio in an environment, from the name of its metadata folder. */
export function coreVersion(core: Core): string {
  const lib = join(cache, core, "lib");
  for (const python of readdirSync(lib)) {
    const info = readdirSync(join(lib, python, "site-packages")).find((name) => /^grpcio-.*\.dist-info$/.test(name));
    if (info !== undefined) return info.slice("grpcio-".length, -".dist-info".length);
  }
  return "?";
}

function peerOf(child: ChildProcess, port: number, scheme: string): Peer {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void ended.then(() => running.delete(child));
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    freeze: () => void process.kill(child.pid!, "SIGSTOP"),
    thaw: () => void process.kill(child.pid!, "SIGCONT"),
    kill: () => void child.kill("SIGKILL"),
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

/** Starts peer.py on a free port. */
export async function startCore(core: Core, options: string[] = []): Promise<Peer> {
  const child = spawn(pythonOf(core), [join(here, "peer.py"), ...options], { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let errors = "";
  child.stderr.on("data", (text: Uint8Array) => {
    errors += String(text);
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.once("data", (text: Uint8Array) => resolve(Number(String(text).trim())));
    child.once("exit", () => reject(new Error(`${core} does not start: ${errors}`)));
  });
  return peerOf(child, port, options.includes("--tls") ? "https" : "http");
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

async function whenListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Starts etcd with an empty data folder; its options for pings are PD's, in another measure of time. */
export async function startEtcd(options: string[] = []): Promise<Peer> {
  const [client, peer] = [await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), "levin-etcd-"));
  const clientUrl = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const child = spawn(
    findEtcd()!,
    [
      ...["--name", "one", "--data-dir", folder, "--max-request-bytes", String(32 << 20)],
      ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
      ...[
        "--listen-peer-urls",
        peerUrl,
        "--initial-advertise-peer-urls",
        peerUrl,
        "--initial-cluster",
        `one=${peerUrl}`,
      ],
      ...options,
    ],
    { stdio: "ignore" },
  );
  running.add(child);
  child.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await whenListening(client);
  return peerOf(child, client, "http");
}

/** Passes bytes on after a delay, each way. */
export async function startDelay(port: number, delayMs: number): Promise<{ url: string; close(): void }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((left) => {
    const right = net.connect({ port, host: "127.0.0.1", noDelay: true });
    left.setNoDelay(true);
    for (const [from, to] of [
      [left, right],
      [right, left],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk: Uint8Array) => setTimeout(() => to.writable && to.write(chunk), delayMs));
      from.on("close", () => to.destroy());
      from.on("error", () => {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
