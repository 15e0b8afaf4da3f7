/**
 * What the machine can do at best, in MB/s. Each limit is measured at most once a process, after the benchmarks that are held against it,
 * so that it neither warms their caches nor counts for their memory. Another limit is one more entry of `limits`.
 */
import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { openLevelKvDb } from "../../src/kvdb/mod.ts";
import { bestOf, type Cost, mbPerSecond, timed } from "./bench.ts";

interface Speed {
  bytes: number;
  ms: number;
}

const MIB = 1024 * 1024;

/** A server that drops what it is sent and closes when its client does. */
const SINK = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer((socket) => socket.resume());
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
`;

const limits = {
  /** One copy of memory that does not fit into caches. */
  "memory copy": async (_dir: string, tiny: boolean): Promise<Speed> => {
    const from = new Uint8Array((tiny ? 1 : 64) * MIB).fill(1);
    const to = new Uint8Array(from.length);
    return { bytes: from.length, ms: await bestOf(3, () => to.set(from)) };
  },

  /** A file in the page cache read in pieces of 1 MiB. */
  "file read": async (dir: string, tiny: boolean): Promise<Speed> => {
    const size = (tiny ? 1 : 128) * MIB;
    const path = join(dir, "limit-file");
    writeFileSync(path, new Uint8Array(size).fill(7));
    const piece = new Uint8Array(MIB);
    const ms = await bestOf(3, () => {
      const file = openSync(path, "r");
      for (let at = 0; at < size; at += piece.length) readSync(file, piece, 0, piece.length, at);
      closeSync(file);
    });
    rmSync(path);
    return { bytes: size, ms };
  },

  /** Blocks of 256 KiB appended to a new file, synced at the end. */
  "raw file write": async (dir: string, tiny: boolean): Promise<Speed> => {
    const path = join(dir, "limit-file");
    const block = new Uint8Array(256 * 1024).fill(7);
    const count = tiny ? 4 : 1024;
    const [{ ms }] = await timed(() => {
      const file = openSync(path, "w");
      for (let i = 0; i < count; i++) writeSync(file, block);
      fsyncSync(file);
      closeSync(file);
    });
    rmSync(path);
    return { bytes: count * block.length, ms };
  },

  /** LevelDB taking ready blocks of 256 KiB with ascending keys one by one, synced at the end and closed. */
  "raw LevelDB write": (dir: string, tiny: boolean): Promise<Speed> => levelBlocks(dir, tiny, "write"),

  /** LevelDB giving these blocks back. */
  "raw LevelDB read": (dir: string, tiny: boolean): Promise<Speed> => levelBlocks(dir, tiny, "read"),

  /** Messages of 1 MiB to a thread that drops them, over a connection on loopback: what a stream to a store cannot exceed. */
  socket: async (_dir: string, tiny: boolean): Promise<Speed> => {
    const sink = new Worker(SINK, { eval: true });
    try {
      const port = await new Promise<number>((resolve) => sink.once("message", resolve));
      const message = new Uint8Array(MIB).fill(7);
      const count = tiny ? 4 : 1024;
      const [{ ms }] = await timed(async () => {
        const socket = connect(port, "127.0.0.1");
        const ended = new Promise((resolve, reject) => socket.once("error", reject).once("close", resolve));
        socket.resume();
        for (let i = 0; i < count; i++)
          if (!socket.write(message)) await new Promise((resolve) => socket.once("drain", resolve));
        socket.end();
        await ended;
      });
      return { bytes: count * message.length, ms };
    } finally {
      await sink.terminate();
    }
  },

  /** A program of one line that Bun compiled, from its start to its end. */
  "empty program": async (dir: string, tiny: boolean): Promise<Speed> => {
    const { ms } = await startCost([emptyProgram(dir)], tiny ? 1 : 15);
    return { bytes: START_BYTES, ms };
  },
};

/** What a start of a program counts as, so that its ratio to another's can be shown like all others. */
export const START_BYTES = 1e6;

/** Compiles a program that does nothing; its path. */
export function emptyProgram(dir: string): string {
  const [source, program] = [join(dir, "empty.ts"), join(dir, "empty")];
  writeFileSync(source, 'console.log("");\n');
  const words = ["build", "--compile", source, "--outfile", program];
  const { status, stderr } = spawnSync(process.execPath, words);
  if (status !== 0) throw new Error(`Cannot compile ${source}: ${stderr}`);
  return program;
}

/** The cheapest of so many runs of a program, from start to end. */
export async function startCost(command: readonly string[], times: number): Promise<Cost> {
  let best: Cost | undefined;
  for (let i = 0; i < times; i++) {
    const startedMs = performance.now();
    const child = Bun.spawn([...command], { stdout: "ignore", stderr: "inherit", stdin: "ignore" });
    const code = await child.exited;
    if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}`);
    const cpuMs = Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000;
    const cost = { ms: performance.now() - startedMs, cpuMs };
    if (best === undefined || cost.cpuMs < best.cpuMs) best = cost;
  }
  return best!;
}

export type LimitName = keyof typeof limits;

async function levelBlocks(dir: string, tiny: boolean, which: "write" | "read"): Promise<Speed> {
  const rounds = tiny ? 1 : 64;
  const store = join(dir, "limit-level");
  const blocks = Array.from({ length: 16 }, (_, i) => new Uint8Array(256 * 1024).fill(i));
  const bytes = rounds * blocks.length * blocks[0]!.length;
  const [{ ms: writeMs }] = await timed(async () => {
    const kvdb = await openLevelKvDb(store);
    for (let round = 0; round < rounds; round++) {
      const key = (i: number) => new Uint8Array([round, i]);
      await Promise.all(blocks.map((value, i) => kvdb.batch([{ key: key(i), value }])));
    }
    await kvdb.sync();
    await kvdb.close();
  });
  const kvdb = await openLevelKvDb(store);
  const readMs = await bestOf(2, async () => {
    const cursor = kvdb.cursor({});
    while ((await cursor.next(64)).length > 0);
    await cursor.close();
  });
  await kvdb.close();
  rmSync(store, { recursive: true });
  return { bytes, ms: which === "write" ? writeMs : readMs };
}

const known = new Map<LimitName, Promise<number>>();

export function limitOf(name: LimitName, dir: string, tiny: boolean): Promise<number> {
  let speed = known.get(name);
  if (speed === undefined) {
    speed = limits[name](dir, tiny).then(mbPerSecond);
    known.set(name, speed);
  }
  return speed;
}
