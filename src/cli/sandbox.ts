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

/** Starts PD, the stores and the TiDB front in this process. */
export async function openSandbox(io: CommandIo, settings: SandboxSettings): Promise<RunningSandbox> {
  const { clock, random } = io;
  const host = settings.host ?? "127.0.0.1";
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
