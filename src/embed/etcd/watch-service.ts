import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  WatchCreateRequest_FilterType as Filter,
  type Watch,
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponseSchema,
} from "../../../gen/etcdserverpb_pb.ts";
import type { ServiceImpl } from "../grpc.ts";
import { type Change, eventOf, inRange, type KeySpace } from "./key-space.ts";
import type { HeaderOf } from "./kv-service.ts";

type Answer = MessageInitShape<typeof WatchResponseSchema>;

/** `etcdserverpb.Watch`: one stream, many watchers. */
export function watchService(space: KeySpace, header: HeaderOf): ServiceImpl<typeof Watch> {
  return {
    async *watch(requests) {
      const stream = new WatchStream(space, header);
      const reading = stream.read(requests);
      reading.catch(() => {});
      try {
        yield* stream.answers();
        await reading;
      } finally {
        stream.close();
      }
    },
  };
}

class WatchStream {
  readonly #space: KeySpace;
  readonly #header: HeaderOf;
  readonly #watchers = new Map<bigint, WatchCreateRequest>();
  readonly #stop: () => void;
  readonly #queue: Answer[] = [];
  #wake: (() => void) | undefined;
  #nextId = 0n;
  #isOver = false;

  constructor(space: KeySpace, header: HeaderOf) {
    this.#space = space;
    this.#header = header;
    this.#stop = space.watch((changes) => {
      for (const [id, watcher] of this.#watchers) this.#tell(id, watcher, changes);
    });
  }

  async read(requests: AsyncIterable<WatchRequest>): Promise<void> {
    try {
      for await (const { requestUnion } of requests) {
        if (requestUnion.case === "createRequest") this.#create(requestUnion.value);
        if (requestUnion.case === "cancelRequest") this.#cancel(requestUnion.value.watchId);
        if (requestUnion.case === "progressRequest") this.#push({ header: this.#header(), watchId: -1n });
      }
    } finally {
      this.#isOver = true;
      this.#wake?.();
    }
  }

  async *answers(): AsyncGenerator<Answer> {
    for (;;) {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) yield next;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#isOver = true;
    this.#stop();
    this.#wake?.();
  }

  #create(request: WatchCreateRequest): void {
    let watchId = request.watchId;
    if (watchId === 0n) {
      while (this.#watchers.has(this.#nextId)) this.#nextId++;
      watchId = this.#nextId++;
    }
    const from = request.startRevision;
    this.#push({ header: this.#header(), watchId, created: true });
    if (from > 0n && from < this.#space.oldestRevision) {
      this.#push({
        header: this.#header(),
        watchId,
        canceled: true,
        compactRevision: this.#space.oldestRevision,
        cancelReason: "etcdserver: mvcc: required revision has been compacted",
      });
      return;
    }
    this.#watchers.set(watchId, request);
    if (from > 0n) this.#tell(watchId, request, this.#space.since(from));
  }

  #cancel(watchId: bigint): void {
    if (this.#watchers.delete(watchId)) this.#push({ header: this.#header(), watchId, canceled: true });
  }

  #tell(watchId: bigint, watcher: WatchCreateRequest, changes: readonly Change[]): void {
    const events = changes
      .filter(({ key, revision }) => revision >= watcher.startRevision && inRange(key, watcher.key, watcher.rangeEnd))
      .filter(({ entry }) => !watcher.filters.includes(entry === undefined ? Filter.NODELETE : Filter.NOPUT))
      .map((change) => eventOf(change, watcher.prevKv));
    if (events.length > 0) this.#push({ header: this.#header(), watchId, events });
  }

  #push(answer: Answer): void {
    this.#queue.push(answer);
    this.#wake?.();
  }
}
