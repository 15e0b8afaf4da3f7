/** The script of a worker thread that encodes. */
import { parentPort, workerData } from "node:worker_threads";
import { assert, collectGarbage, systemFiles } from "../../base/mod.ts";
import { openLevelKvDb } from "../../kvdb/mod.ts";
import { openSource } from "../../source/mod.ts";
import { EncodeTask } from "./encode-task.ts";
import { CLOSE, type ToWorker, type WorkerSetup } from "./messages.ts";

const port = parentPort;
assert(port !== null, "an encode worker has a parent");
const world = { openStorage: openSource, openKvDb: openLevelKvDb, files: systemFiles, collectGarbage };
const task = new EncodeTask(workerData as WorkerSetup, world, (message) => port.postMessage(message));
port.on("message", (message: ToWorker | typeof CLOSE) => {
  if (message !== CLOSE) return task.take(message);
  void task.close().finally(() => port.postMessage(CLOSE));
});
