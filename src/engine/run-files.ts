import type { Files } from "../base/mod.ts";
import { FileBlockStore } from "./block-files.ts";
import type { KeyBounds } from "./block-store.ts";
import type { EngineReader } from "./engine.ts";
import { findLastKey } from "./last-key.ts";
import type { RunInfo } from "./layout.ts";
import { type PairBatch, type ReadOptions, readPairs } from "./read-pairs.ts";

interface RunFilesOptions {
  /** Of the engine, for people. */
  name: string;
  /** Where the engine keeps its blocks, one file a run. */
  blockDir: string;
  files: Files;
  /** Files kept open beyond those that are being read. */
  idleFilesMax: number;
}

/**
 * The runs of an engine with its blocks in files, read by somebody who has no access to its ordered map: another thread, which is told what the
 * runs are. The engine must not change meanwhile. Writes nothing.
 */
export class RunFiles implements EngineReader {
  readonly #name: string;
  readonly #blocks: FileBlockStore;

  constructor({ name, blockDir, files, idleFilesMax }: RunFilesOptions) {
    this.#name = name;
    this.#blocks = new FileBlockStore(blockDir, files, name, idleFilesMax);
  }

  reader(bounds: KeyBounds, options: ReadOptions & { runs: readonly RunInfo[] }): AsyncGenerator<PairBatch> {
    return readPairs({ blocks: this.#blocks, engineName: this.#name, runs: options.runs }, bounds, options);
  }

  lastKey(bounds: KeyBounds, runs: readonly RunInfo[]): Promise<Uint8Array | undefined> {
    return findLastKey({ blocks: this.#blocks, engineName: this.#name, runs }, bounds);
  }

  /** Readers must have ended. */
  close(): Promise<void> {
    return this.#blocks.close();
  }
}
