import { lookup } from "node:dns/promises";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { dirname } from "node:path";
import { LevinError, systemWords } from "../base/mod.ts";
import { frontStorage, startFront, startSandbox, type TidbFront } from "../embed/mod.ts";
import type { CommandIo } from "./io.ts";
import { evaluateVirtual, makeRowEncoder } from "./sandbox-rows.ts";
import { type SandboxTls, sandboxTls } from "./sandbox-tls.ts";

export interface RunningSandbox {
  dir: string;
  front: TidbFront;
  pd: string[];
  tikv: string[];
  /** Files for clients. */
  tls: SandboxTls["paths"] | undefined;
  close(): Promise<void>;
}

export interface SandboxSettings {
  dir: string;
  stores: number;
  host?: string;
  /** All ports ask for certificates of the sandbox's own authority; MySQL's takes plain connections too. */
  tls?: boolean;
  ports?: { tidb?: number; status?: number; pd?: number; tikv?: number[] };
}

/** Who names a directory that cannot be made is told of the part of its path that is in the way. */
function makePlace(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    let there = dir;
    while (!existsSync(there)) there = dirname(there);
    const isFile = !statSync(there).isDirectory();
    const { code } = cause as NodeJS.ErrnoException;
    const why = isFile
      ? `"${there}" is a file`
      : code === "ENOENT"
        ? `the system takes no directory there`
        : systemWords(cause);
    const where = isFile || there === dir ? "" : ` in "${there}"`;
    throw new LevinError("Levin:System:ErrCall", `Cannot make the sandbox's directory "${dir}"${where}: ${why}`, {
      cause,
    });
  }
}

async function demandHost(host: string): Promise<void> {
  if (isIP(host) !== 0) return;
  await lookup(host).catch((cause: unknown) => {
    throw new LevinError("Levin:Command:ErrUsage", `Cannot use --host ${host}: there is no such host`, { cause });
  });
}

/** Starts PD, the stores and the TiDB front in this process. */
export async function openSandbox(io: CommandIo, settings: SandboxSettings): Promise<RunningSandbox> {
  const { clock, random } = io;
  const host = settings.host ?? "127.0.0.1";
  makePlace(settings.dir);
  await demandHost(host);
  const { tidb = 0, status = 0, ...ports } = settings.ports ?? {};
  const tls = settings.tls ? sandboxTls(io, settings.dir, host) : undefined;
  const secured = tls === undefined ? {} : { tls: tls.server };
  const sandbox = await startSandbox({
    ...secured,
    dir: settings.dir,
    stores: settings.stores,
    host,
    ports,
    clock,
    random,
    onHarm: (text) => void io.stderr.write(`sandbox refused: ${text}\n`),
  });
  try {
    const front = await startFront(sandbox.cluster, {
      ...secured,
      storage: frontStorage(sandbox.cluster),
      host,
      port: tidb,
      statusPort: status,
      pd: sandbox.pd,
      clock,
      newCollations: true,
      makeRowEncoder,
      evaluateVirtual,
    });
    return {
      dir: settings.dir,
      front,
      pd: sandbox.pd,
      tikv: sandbox.tikv,
      tls: tls?.paths,
      async close() {
        await front.close();
        await sandbox.close();
      },
    };
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}
