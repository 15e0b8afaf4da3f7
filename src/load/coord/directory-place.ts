import { type Clock, type Files, fromHex, joinPath, textOf, toHex, utf8 } from "../../base/mod.ts";
import { WholeFiles } from "../../storage/mod.ts";
import type { BeatPlace, BeatRecord } from "./beat-store.ts";

const NAME = /^(([0-9a-f]{2})+)\.json$/;

/** A directory that all hosts see: a folder a task, a file a source, both named in hex; files change as a whole. */
export class DirectoryPlace implements BeatPlace {
  readonly #whole: WholeFiles;
  readonly #dir: string;

  constructor(files: Files, clock: Clock, dir: string, task: string) {
    this.#whole = new WholeFiles(files, clock, { makeParents: (path) => files.makeDir(path) });
    this.#dir = joinPath(dir, toHex(utf8(task)));
  }

  #path(source: string): string {
    return joinPath(this.#dir, `${toHex(utf8(source))}.json`);
  }

  async read(): Promise<BeatRecord[]> {
    const out: BeatRecord[] = [];
    for (const name of await this.#whole.files.list(this.#dir)) {
      const hex = NAME.exec(name)?.[1];
      if (hex === undefined) continue;
      const bytes = await this.#whole.files.read(joinPath(this.#dir, name));
      if (bytes !== undefined) out.push(recordOf(textOf(fromHex(hex)), bytes));
    }
    return out;
  }

  async create(record: BeatRecord): Promise<void> {
    await this.#whole.replaceIf(this.#path(record.source), undefined, utf8(JSON.stringify(record)));
  }

  async replace(record: BeatRecord, beat: number): Promise<boolean> {
    const path = this.#path(record.source);
    const found = await this.#whole.files.read(path);
    if (found === undefined || recordOf(record.source, found).beat !== beat) return false;
    return this.#whole.replaceIf(path, found, utf8(JSON.stringify(record)));
  }

  async clear(): Promise<void> {
    await this.#whole.files.removeTree(this.#dir);
  }
}

/** Files are there in full or not at all. */
function recordOf(source: string, bytes: Uint8Array): BeatRecord {
  const { sums, ...rest } = JSON.parse(textOf(bytes)) as BeatRecord;
  return { ...rest, source, sums };
}
