import type { Clock, Random } from "../base/mod.ts";
import { LevinError } from "../base/mod.ts";
import type { StartEncoder } from "../importer/mod.ts";
import type { OutputStream } from "./output/sinks.ts";

/** What a command may touch of the outside, so that tests can run commands in process. */
export interface CommandIo {
  stdout: OutputStream;
  stderr: OutputStream;
  /** Absent: empty. */
  stdin?: AsyncIterable<Uint8Array>;
  /** Asks on the terminal without showing the answer; undefined: there is no terminal to ask on. */
  askSecret?: ((question: string) => Promise<string>) | undefined;
  /** The terminal on standard error, where there is one. */
  terminal: NodeJS.WriteStream | undefined;
  environment: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  random: Random;
  /** Aborted by the first SIGINT or SIGTERM. */
  signal: AbortSignal;
  version: string;
  /** Of this process. */
  pid: number;
  /** The script of encode workers. */
  encodeWorker: URL | StartEncoder;
  /** The script of threads that write to stores; absent: there are none. */
  writeWorker?: URL;
}

/** The last line of a failed command: what, where, what to do. No stack for what the user can mend. `command`: the one that failed. */
export function reportError(io: CommandIo, thrown: unknown, command?: string): number {
  const error = LevinError.from(thrown);
  io.stderr.write(`error: ${error.message}\n`);
  if (error.code === "Levin:Internal:ErrUnexpected" && thrown instanceof Error && thrown.stack !== undefined) {
    io.stderr.write(`${thrown.stack}\n`);
  }
  const action = error.facts.action.replace("help COMMAND", command === undefined ? "help" : `help ${command}`);
  io.stderr.write(`       ${error.code}: ${action}\n`);
  return error.facts.exit;
}
