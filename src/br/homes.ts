import { newUuid, toHex, utf8, uuidText } from "../base/mod.ts";
import type { ObjectStorage } from "../storage/mod.ts";
import type { BrPaths } from "./layout.ts";
import type { LoadReport } from "./report.ts";

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

/** Name of a data or checksum file of 2025: the UUID's text in hex, 72 digits. */
function newFileName(): string {
  return `${toHex(utf8(uuidText(newUuid())))}.cpt`;
}

/** A checkpoint in external storage. Each document gets a name of its own, nothing is overwritten. */
export class FileHome implements Home {
  readonly storage: ObjectStorage;
  readonly paths: BrPaths;

  constructor(storage: ObjectStorage, paths: BrPaths) {
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
    return this.storage.write(`${this.paths.dataDir}/${newFileName()}`, document);
  }

  writeChecksums(document: Uint8Array): Promise<void> {
    return this.storage.write(`${this.paths.checksumDir}/${newFileName()}`, document);
  }
}
