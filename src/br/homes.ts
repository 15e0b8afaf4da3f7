import type { BrPaths } from "./layout.ts";
import type { LoadReport } from "./report.ts";
import type { BrStorage } from "./storage.ts";
import { fileNameOf, newUuid } from "./uuid.ts";

/** A data or checksum document as it is stored. */
export interface StoredDocument {
  /** File name, or table and uuid: for messages. */
  where: string;
  bytes: Uint8Array;
}

/** Where a checkpoint's documents live: files, or tables of the target cluster. Writing is durable when it resolves. */
export interface Home {
  /** All data documents in the order of their names. */
  dataDocuments(report: LoadReport): AsyncIterable<StoredDocument>;
  checksumDocuments(report: LoadReport): AsyncIterable<StoredDocument>;
  writeData(document: Uint8Array): Promise<void>;
  writeChecksums(document: Uint8Array): Promise<void>;
}

/** A checkpoint in external storage. Each document gets a name of its own, nothing is overwritten. */
export class FileHome implements Home {
  readonly storage: BrStorage;
  readonly paths: BrPaths;

  constructor(storage: BrStorage, paths: BrPaths) {
    this.storage = storage;
    this.paths = paths;
  }

  async *dataDocuments(report: LoadReport): AsyncIterable<StoredDocument> {
    for (const { name } of await this.storage.list(this.paths.dataDir)) {
      // The oldest release wrote names without a suffix.
      if (!name.endsWith(".cpt") && !(this.paths.layout === "2023" && !name.includes(".tmp"))) {
        report.foreignFile(name);
        continue;
      }
      const bytes = await this.storage.read(name);
      if (bytes !== undefined) yield { where: name, bytes };
    }
  }

  async *checksumDocuments(report: LoadReport): AsyncIterable<StoredDocument> {
    for (const { name } of await this.storage.list(this.paths.checksumDir)) {
      if (!name.endsWith(".cpt")) report.foreignFile(name);
      const bytes = await this.storage.read(name);
      if (bytes !== undefined) yield { where: name, bytes };
    }
  }

  writeData(document: Uint8Array): Promise<void> {
    return this.storage.write(`${this.paths.dataDir}/${fileNameOf(newUuid())}`, document);
  }

  writeChecksums(document: Uint8Array): Promise<void> {
    return this.storage.write(`${this.paths.checksumDir}/${fileNameOf(newUuid())}`, document);
  }
}
