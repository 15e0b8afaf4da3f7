import { toBinary } from "@bufbuild/protobuf";
import { SSTMetaSchema } from "../../gen/import_sstpb_pb.ts";
import { assert, type Clock, type Files, type Random } from "../base/mod.ts";
import { type Connect, defaultTikvLimits, type Store, StoreDirectory, TikvClient } from "../cluster/mod.ts";
import { BufferPool, RunFiles } from "../engine/mod.ts";
import type { TlsMaterial } from "../rpc/mod.ts";
import { EngineSource } from "./engine-source.ts";
import { ByteBudget, StoreRate } from "./gates.ts";
import { tellError } from "./told-error.ts";
import type { FromWriter, ToldOrder, ToWriter, WriterSetup } from "./write-messages.ts";
import { writeRegion } from "./write-region.ts";

export interface WriterWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  /** Connections to stores; `material` gives what the certificates are at the time of a connection. */
  connect(setup: WriterSetup, material: () => Promise<TlsMaterial>): Connect;
}

interface OpenEngine {
  readonly runs: RunFiles;
  readers: number;
}

/**
 * What a thread that writes does, wherever it runs: reads the files of runs, and streams ranges to stores, several at a time, by the function that
 * does it without threads. Decides nothing: each order is answered once, by what was written or by the error.
 */
export class WriteTask {
  readonly #setup: WriterSetup;
  readonly #world: WriterWorld;
  readonly #send: (message: FromWriter) => void;
  readonly #tikv: TikvClient;
  readonly #stores = new Map<bigint, Store>();
  readonly #directory: StoreDirectory;
  readonly #budget: ByteBudget;
  readonly #buffers: BufferPool;
  readonly #engines = new Map<string, OpenEngine>();
  readonly #running = new Map<number, { stop: AbortController; ended: Promise<void> }>();
  readonly #asking = new Map<number, { resolve(material: TlsMaterial): void; reject(error: Error): void }>();
  #asked = 0;
  #isClosed = false;

  constructor(setup: WriterSetup, world: WriterWorld, send: (message: FromWriter) => void) {
    this.#setup = setup;
    this.#world = world;
    this.#send = send;
    this.#budget = new ByteBudget(setup.inFlightBytes);
    this.#buffers = new BufferPool(setup.keptBytes);
    const getStore = async (id: bigint): Promise<Store> => {
      const store = this.#stores.get(id);
      assert(store !== undefined, "an order names the stores of its region");
      return store;
    };
    this.#directory = new StoreDirectory({ getStore, getStores: async () => [...this.#stores.values()] });
    this.#tikv = new TikvClient({
      connect: world.connect(setup, () => this.#material()),
      stores: this.#directory,
      limits: { ...defaultTikvLimits, connectionsPerStore: setup.connectionsPerStore },
    });
  }

  take(message: ToWriter): void {
    // What was on its way.
    if (this.#isClosed) return;
    switch (message.kind) {
      case "write": {
        const stop = new AbortController();
        const ended = this.#write(message.id, message.order, stop.signal).finally(() =>
          this.#running.delete(message.id),
        );
        this.#running.set(message.id, { stop, ended });
        return;
      }
      case "stop":
        this.#running.get(message.id)?.stop.abort(new Error("the order was given up"));
        return;
      case "release":
        void this.#release(message.id, message.blockDir);
        return;
      case "material": {
        const asking = this.#asking.get(message.id);
        this.#asking.delete(message.id);
        if (message.material !== undefined) asking?.resolve(message.material);
        else asking?.reject(new Error(message.error ?? "no certificates"));
      }
    }
  }

  /** Gives up what is under way and closes what is open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const running = [...this.#running.values()];
    for (const { stop } of running) stop.abort(new Error("the thread is to end"));
    for (const { reject } of this.#asking.values()) reject(new Error("the thread is to end"));
    await Promise.all(running.map(({ ended }) => ended));
    this.#tikv.close();
    await Promise.all([...this.#engines.values()].map(({ runs }) => runs.close()));
  }

  /** Does not fail: what goes wrong is the answer. */
  async #write(id: number, order: ToldOrder, signal: AbortSignal): Promise<void> {
    const engine = this.#engineOf(order);
    engine.readers++;
    try {
      for (const store of order.stores) {
        if (this.#stores.get(store.id)?.address !== store.address) this.#directory.forget(store.id);
        this.#stores.set(store.id, store);
      }
      const { region, range, commitTs, windowMessages, runs, memoryBytes } = order;
      const { metas, pairs, bytes } = await writeRegion({
        tikv: this.#tikv,
        random: this.#world.random,
        source: new EngineSource(engine.runs, runs, { memoryBytes, buffers: this.#buffers }),
        commitTs,
        region,
        range,
        windowMessages,
        budget: this.#budget,
        // Imports with a limit write in one thread, which keeps the account.
        rate: new StoreRate(this.#world.clock, 0),
        signal,
      });
      this.#send({
        kind: "written",
        id,
        pairs,
        bytes,
        metas: metas.map((meta) => toBinary(SSTMetaSchema, meta)),
      });
    } catch (thrown) {
      this.#send({ kind: "failed", id, error: tellError(thrown) });
    } finally {
      engine.readers--;
    }
  }

  #engineOf({ blockDir, engineName: name }: ToldOrder): OpenEngine {
    let engine = this.#engines.get(blockDir);
    if (engine === undefined) {
      const { files } = this.#world;
      engine = { runs: new RunFiles({ name, blockDir, files, idleFilesMax: this.#setup.idleFilesMax }), readers: 0 };
      this.#engines.set(blockDir, engine);
    }
    return engine;
  }

  async #release(id: number, blockDir: string): Promise<void> {
    try {
      const engine = this.#engines.get(blockDir);
      // One that an order given up still reads is closed with the thread.
      if (engine?.readers === 0) {
        this.#engines.delete(blockDir);
        await engine.runs.close();
      }
      this.#send({ kind: "released", id });
    } catch (thrown) {
      this.#send({ kind: "released", id, error: tellError(thrown) });
    }
  }

  #material(): Promise<TlsMaterial> {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#asking.set(id, { resolve, reject });
      this.#send({ kind: "material", id });
    });
  }
}
