/**
 * The worker thread that encodes: opens the batch's directory as a writer, takes chunks one after the other, reports committed runs. All
 * work inside a chunk is synchronous but for reading the next window and writing a run.
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert, LevinError } from "../../base/mod.ts";
import { PairArena } from "../../engine/mod.ts";
import { type KvDb, openLevelKvDb } from "../../kvdb/mod.ts";
import { openLocalStorage, type Storage } from "../../source/mod.ts";
import { BatchEncoder } from "./batch-encoder.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./messages.ts";

const setup = workerData as WorkerSetup;
const port = parentPort;
assert(port !== null, "an encode worker has a parent");
const send = (message: FromWorker): void => port.postMessage(message);

const data = new PairArena({ capacityBytes: setup.sizes.dataArenaBytes });
const index = new PairArena({ capacityBytes: setup.sizes.indexArenaBytes });
let storage: Storage | undefined;
let kvdb: KvDb | undefined;
let encoder: BatchEncoder | undefined;

async function take(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case "batch":
      storage ??= await openLocalStorage(setup.sourceDir);
      kvdb = await openLevelKvDb(message.dir, { shared: true });
      encoder = await BatchEncoder.open({
        storage,
        kvdb,
        tables: message.tables,
        session: setup.session,
        data,
        index,
        windowBytes: setup.sizes.windowBytes,
        compatLightning: setup.compatLightning,
        invalidReplacement: setup.invalidReplacement,
        allowShortRows: setup.allowShortRows,
        typeErrorsMax: setup.typeErrorsMax,
        flushBytes: { data: setup.sizes.dataArenaBytes / 2, index: setup.sizes.indexArenaBytes / 2 },
        firstRun: message.firstRun,
        onProgress: (rows, sourceBytes) => send({ kind: "progress", rows, sourceBytes }),
        onRejected: (chunk, rows) => send({ kind: "rejected", chunk, rows }),
        onFlushed: (runs, chunks) => send({ kind: "flushed", runs, chunks }),
      });
      send({ kind: "ready", warnings: [] });
      return;
    case "chunk":
      assert(encoder !== undefined, "a chunk comes after its batch");
      await encoder.encode(message.id, message.chunk);
      send({ kind: "ready", warnings: [] });
      return;
    case "finish": {
      await encoder?.flush();
      const warnings = encoder?.warnings() ?? [];
      encoder = undefined;
      await kvdb?.close();
      kvdb = undefined;
      send({ kind: "ready", warnings });
    }
  }
}

let tail: Promise<void> = Promise.resolve();
port.on("message", (message: ToWorker) => {
  tail = tail
    .then(() => take(message))
    .catch((thrown) => {
      const error = LevinError.from(thrown);
      send({
        kind: "failed",
        code: error.code,
        message: error.message,
        fields: error.fields,
        stack: thrown instanceof Error ? thrown.stack : undefined,
      });
    });
});
