import { systemClock, systemRandom } from "./base/mod.ts";
import { runCli, terminalSecret } from "./cli/mod.ts";

const stop = new AbortController();
const interrupted = (): void => {
  if (stop.signal.aborted) process.exit(130);
  stop.abort(new Error("interrupted"));
};
process.on("SIGINT", interrupted);
process.on("SIGTERM", interrupted);
// A closed terminal does not end a run.
process.on("SIGHUP", () => undefined);

// The compiled program has its script as a virtual second word, as the plain one has its file.
const argv = process.argv.slice(2);

const code = await runCli(argv, process.execPath, {
  stdout: process.stdout,
  stderr: process.stderr,
  // Not touched before it is needed: an open standard input would keep the process.
  get stdin() {
    return process.stdin;
  },
  get askSecret() {
    return terminalSecret();
  },
  terminal: process.stderr.isTTY ? process.stderr : undefined,
  environment: process.env,
  clock: systemClock,
  random: systemRandom,
  signal: stop.signal,
  version: process.env["LEVIN_VERSION"] ?? "0.0.0-source",
  pid: process.pid,
  // Named here because in the compiled program everything lies where this file lies.
  encodeWorker: new URL("./importer/encode/encode-worker.ts", import.meta.url),
  writeWorker: new URL("./importer/write-worker.ts", import.meta.url),
});

// A connection to a peer that answers no more would keep the process; what is written goes out first, unless its reader is stuck too.
const written = (stream: NodeJS.WriteStream): Promise<void> => new Promise((done) => stream.write("", () => done()));
await Promise.race([Promise.all([written(process.stdout), written(process.stderr)]), systemClock.sleep(5_000)]);
process.exit(code);
