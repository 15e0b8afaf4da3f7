/** The script of a thread that writes ranges to stores. */
import { parentPort, workerData } from "node:worker_threads";
import { assert, systemClock, systemFiles, systemRandom } from "../base/mod.ts";
import { grpcConnect } from "../cluster/mod.ts";
import { CLOSE_WRITER, type ToWriter, type WriterSetup, WriteTask } from "../ingest/mod.ts";
import { storeTls } from "./store-tls.ts";

const port = parentPort;
assert(port !== null, "a thread that writes has a parent");
const clock = systemClock;
const task = new WriteTask(
  workerData as WriterSetup,
  {
    clock,
    random: systemRandom,
    files: systemFiles,
    connect: ({ tls }, material) =>
      grpcConnect(tls === undefined ? { clock } : { clock, tls: storeTls(material, tls.certAllowedCn) }),
  },
  (message) => port.postMessage(message),
);
port.on("message", (message: ToWriter | typeof CLOSE_WRITER) => {
  if (message !== CLOSE_WRITER) return task.take(message);
  void task.close().finally(() => port.postMessage(CLOSE_WRITER));
});
