import fs from "node:fs/promises";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, LevinError, utf8 } from "../base/mod.ts";
import { crc32 } from "../codec/mod.ts";

/** A command to a running load; what it means is its handler's. */
export interface ControlRequest {
  command: string;
  [name: string]: unknown;
}

export type ControlAnswer = { ok: true; [name: string]: unknown } | { ok: false; error: string };

const MAX_LINE = 1 << 20;
/** Linux takes 107 bytes, others fewer. */
const MAX_SOCKET_PATH = 100;

/** Where the control socket of a state directory lies: in it, or, where that path is too long for a socket, under its number in the temporary directory. */
export function controlPath(stateDir: string): string {
  const path = join(stateDir, "control.sock");
  if (utf8(path).length <= MAX_SOCKET_PATH) return path;
  return join(tmpdir(), `levin-${(crc32(utf8(stateDir)) >>> 0).toString(16)}.sock`);
}

/**
 * Listens on a unix socket that only its owner can reach: one JSON line asks, one answers. A socket that a killed process left is removed;
 * a living one's is `Levin:State:ErrLocked`.
 */
export async function serveControl(
  stateDir: string,
  clock: Clock,
  handle: (request: ControlRequest) => Promise<Record<string, unknown>>,
): Promise<{ close(): Promise<void> }> {
  const path = controlPath(stateDir);
  if (await answers(stateDir, clock)) {
    throw new LevinError("Levin:State:ErrLocked", `Cannot load in "${stateDir}": another process loads there`, {
      fields: { path },
    });
  }
  await fs.rm(path, { force: true });
  const sockets = new Set<net.Socket>();
  const answering = new Set<Promise<void>>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    answerLine(socket, handle, answering);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  await fs.chmod(path, 0o600);
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Who asked for the end gets his answer.
      await Promise.race([Promise.allSettled([...answering]), clock.sleep(1_000)]);
      for (const socket of sockets) socket.end();
      await Promise.race([closed, clock.sleep(1_000)]);
      for (const socket of sockets) socket.destroy();
      await fs.rm(path, { force: true });
    },
  };
}

function answerLine(
  socket: net.Socket,
  handle: (request: ControlRequest) => Promise<Record<string, unknown>>,
  answering: Set<Promise<void>>,
): void {
  let text = "";
  let busy = false;
  socket.setEncoding("utf8");
  socket.on("data", (part) => {
    if (busy) return;
    text += String(part);
    if (text.length > MAX_LINE) return void socket.destroy();
    const end = text.indexOf("\n");
    if (end < 0) return;
    busy = true;
    const done = answer(text.slice(0, end), handle).then(
      (result) => new Promise<void>((resolve) => socket.end(`${JSON.stringify(result)}\n`, () => resolve())),
    );
    answering.add(done);
    void done.finally(() => answering.delete(done));
  });
}

async function answer(
  line: string,
  handle: (request: ControlRequest) => Promise<Record<string, unknown>>,
): Promise<ControlAnswer> {
  try {
    const request = JSON.parse(line) as ControlRequest;
    if (typeof request?.command !== "string") return { ok: false, error: "no command" };
    return { ok: true, ...(await handle(request)) };
  } catch (thrown) {
    return { ok: false, error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

async function answers(stateDir: string, clock: Clock): Promise<boolean> {
  return (await askControl(stateDir, { command: "ping" }, { clock, timeoutMs: 2_000 })) !== undefined;
}

/** Asks the load of a state directory; undefined when none runs there. Throws `Levin:Load:ErrControl` for a refusal. */
export async function askControl(
  stateDir: string,
  request: ControlRequest,
  { clock, timeoutMs = 60_000 }: { clock: Clock; timeoutMs?: number },
): Promise<Record<string, unknown> | undefined> {
  const path = controlPath(stateDir);
  const socket = await connect(path);
  if (socket === undefined) return undefined;
  const stop = new AbortController();
  try {
    const line = await Promise.race([
      oneLine(socket, request),
      clock.sleep(timeoutMs, stop.signal).then(() => {
        throw new LevinError(
          "Levin:Load:ErrControl",
          `Cannot ask the load of "${stateDir}": no answer within ${timeoutMs} ms`,
        );
      }),
    ]);
    const found = JSON.parse(line) as ControlAnswer;
    if (found.ok) return found;
    throw new LevinError(
      "Levin:Load:ErrControl",
      `Cannot ${request.command} the load of "${stateDir}": ${found.error}`,
    );
  } finally {
    stop.abort();
    socket.destroy();
  }
}

function connect(path: string): Promise<net.Socket | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    socket.once("connect", () => resolve(socket));
    // No socket, or one that nobody listens on.
    socket.once("error", () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}

function oneLine(socket: net.Socket, request: ControlRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (part) => {
      text += String(part);
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    const lost = () => reject(new LevinError("Levin:Load:ErrControl", "The load has ended before it answered"));
    socket.on("error", lost);
    socket.on("close", lost);
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
