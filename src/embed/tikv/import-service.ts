import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type DuplicateDetectRequest,
  type DuplicateDetectResponseSchema,
  ImportSST,
  type IngestResponseSchema,
  SwitchMode,
  type WriteResponseSchema,
} from "../../../gen/import_sstpb_pb.ts";
import { ImportSST as PackedImportSST, type PackedWriteRequest } from "../../../gen/packed_pb.ts";
import { assert } from "../../base/mod.ts";
import { Code, ConnectError, type ServiceImpl } from "../grpc.ts";
import { type Cluster, Refusal, type StoreState } from "../state/mod.ts";
import { detectDuplicates } from "./duplicates.ts";
import { Ingester } from "./ingest.ts";
import type { RegionError } from "./region-errors.ts";
import { WriteStream } from "./write-stream.ts";

/** Longest suspension (`SUSPEND_REQUEST_MAX_SECS`). */
const MAX_SUSPEND_SECONDS = 21600n;
const DEFAULT_IMPORT_MODE_MS = 600_000;

/** `import_sstpb.ImportSST` without Write, whose messages are taken packed: the bytes of each hold until the next one is asked for. */
export type ImportImpl = Partial<Omit<ServiceImpl<typeof ImportSST>, "write">> & {
  write(requests: AsyncIterable<PackedWriteRequest>): Promise<MessageInitShape<typeof WriteResponseSchema>>;
};

/** Write with batches as bytes, under the real service's path. */
export const packedWriteMethod = { ...PackedImportSST.method.write, parent: ImportSST };

/** A Refusal as TiKV sends it: gRPC status `unknown` with the text. Other errors pass. */
export function asStatus(cluster: Cluster, thrown: unknown): unknown {
  if (!(thrown instanceof Refusal)) return thrown;
  return new ConnectError(cluster.noteHarm(thrown).message, Code.Unknown);
}

/** The import service of one store. */
export function importService(cluster: Cluster, store: StoreState): ImportImpl {
  const ingester = new Ingester(cluster, store);
  const { clock } = cluster.options;
  return {
    async write(requests) {
      const stream = new WriteStream(cluster, store);
      try {
        for await (const request of requests) await stream.take(request);
        const metas = await stream.finish();
        return { metas: metas.map(({ meta, cfName }) => ({ ...meta, $unknown: undefined, cfName })) };
      } catch (thrown) {
        await stream.abandon();
        throw asStatus(cluster, thrown);
      }
    },
    async ingest({ context, sst }) {
      return ingestResponse(await ingester.ingest(context, sst === undefined ? [] : [sst], false));
    },
    async multiIngest({ context, ssts }) {
      return ingestResponse(await ingester.ingest(context, ssts, true));
    },
    /** Declared, but no store has it; a real one says so without words. */
    getMode() {
      throw new ConnectError("", Code.Unimplemented);
    },
    switchMode({ mode }, { signal }) {
      // A store does it at once when it comes to a call, and does not come to calls that were given up before (gRPC core).
      signal.throwIfAborted();
      const timeout = cluster.options.importModeTimeoutMs ?? DEFAULT_IMPORT_MODE_MS;
      store.importModeUntilMs = mode === SwitchMode.Import ? clock.nowMs() + timeout : 0;
      return {};
    },
    suspendImportRPC({ shouldSuspendImports, durationInSecs }) {
      const now = clock.nowMs();
      const alreadySuspended = store.suspendedUntilMs > now;
      if (shouldSuspendImports && durationInSecs > MAX_SUSPEND_SECONDS) {
        throw invalidInput(
          `you are going to suspend the import RPCs too long. (for ${durationInSecs} seconds, max acceptable duration is ${MAX_SUSPEND_SECONDS} seconds)`,
        );
      }
      store.suspendedUntilMs = shouldSuspendImports ? now + Number(durationInSecs) * 1000 : 0;
      return { alreadySuspended };
    },
    compact: () => ({}),
    setDownloadSpeedLimit: () => ({}),
    addForcePartitionRange({ range }) {
      const start = range?.start ?? new Uint8Array(0);
      const end = range?.end ?? new Uint8Array(0);
      if (end.length > 0 && Buffer.compare(start, end) >= 0) {
        throw invalidInput(
          `start keys must be smaller than end key, start: [${start.join(", ")}], end: [${end.join(", ")}]`,
        );
      }
      return {};
    },
    removeForcePartitionRange: () => ({}),
    duplicateDetect(
      request: DuplicateDetectRequest,
    ): AsyncIterable<MessageInitShape<typeof DuplicateDetectResponseSchema>> {
      return detectDuplicates(cluster, store, request);
    },
    clearFiles: () => ({}),
  };
}

function ingestResponse(error: RegionError | undefined): MessageInitShape<typeof IngestResponseSchema> {
  assert(error === undefined || error.message !== "", "a refusal has words");
  return error === undefined ? {} : { error };
}

function invalidInput(error: string): ConnectError {
  return new ConnectError(`Io(Custom { kind: InvalidInput, error: "${error}" })`, Code.Unknown);
}
