import { dmError } from "./dm-error.ts";
import { parseGtidSet } from "./gtid.ts";

/** Where replication goes on after a dump. */
export interface BinlogLocation {
  /** Name of the binlog file; empty when the dump does not say. */
  readonly file: string;
  /** Byte position; of a dump of TiDB (`tidb-binlog`) the timestamp of its snapshot. */
  readonly position: bigint;
  /** Normalised GTID set, empty when there is none. */
  readonly gtid: string;
}

/** What the file `metadata` of a dump says. */
export interface DumpMetadata {
  readonly form: "blocks" | "sections";
  readonly location: BinlogLocation;
  /** Dumpling: the location after all connections had been opened. */
  readonly afterConnect: BinlogLocation | undefined;
  /** As the file has them. */
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
}

/** The file cannot be read; `text` is DM's. */
export class MetadataFormatError extends Error {
  override readonly name = "MetadataFormatError";
}

const MAIN = "SHOW MASTER STATUS:";
const AFTER = "SHOW MASTER STATUS: /* AFTER CONNECTION POOL ESTABLISHED */";
const REPLICA = "SHOW SLAVE STATUS:";
const NOWHERE: BinlogLocation = { file: "", position: 0n, gtid: "" };
const UINT32_MAX = 0xffffffffn;
const UINT64_MAX = 0xffffffffffffffffn;

/**
 * Parses `metadata` of Dumpling and of mydumper before 0.14 (blocks), and of mydumper since (sections). Throws a MetadataFormatError, or
 * DM's error 11123 when there is no location in it; `name` is what messages call the file.
 */
export function parseMetadata(text: string, name = "metadata"): DumpMetadata {
  const lines = text.split("\n").map((line) => line.trim());
  const found = lines.some((line) => /^\[[^\]]+\]$/.test(line))
    ? parseSections(lines, name)
    : parseBlocks(lines, text.endsWith("\n"), name);
  if (found.location.file === "" || found.location.position === 0n) throw dmError("MetadataNoBinlogLoc", [name]);
  return found;
}

/** `(file, position)`, as DM shows and compares positions. */
export function positionText({ file, position }: BinlogLocation): string {
  return `(${file}, ${position})`;
}

function stamp(line: string, what: "Started" | "Finished"): string | undefined {
  return new RegExp(`^(?:# )?${what} dump at: (.+)$`).exec(line)?.[1];
}

function parseBlocks(lines: string[], endsClean: boolean, name: string): DumpMetadata {
  // The text after the last line end is a line only if there is any; a block that runs into it was cut off.
  const reader = new LineReader(endsClean ? lines.slice(0, -1) : lines, name);
  let location = NOWHERE;
  let afterConnect: BinlogLocation | undefined;
  let startedAt: string | undefined;
  let finishedAt: string | undefined;
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    if (line === MAIN) location = readLocation(reader, name);
    else if (line === AFTER) afterConnect = readLocation(reader, name);
    else if (line === REPLICA) while (reader.required() !== "");
    else {
      startedAt ??= stamp(line, "Started");
      finishedAt ??= stamp(line, "Finished");
    }
  }
  return { form: "blocks", location, afterConnect, startedAt, finishedAt };
}

class LineReader {
  readonly #lines: readonly string[];
  readonly #name: string;
  #at = 0;

  constructor(lines: string[], name: string) {
    this.#lines = lines;
    this.#name = name;
  }

  next(): string | undefined {
    return this.#lines[this.#at++];
  }

  /** The next line of a block, which must have an end. */
  required(): string {
    const line = this.next();
    if (line === undefined) throw new MetadataFormatError(`file ${this.#name} ends inside a block`);
    return line;
  }
}

function readLocation(reader: LineReader, name: string): BinlogLocation {
  let file = "";
  let position = 0n;
  for (let line = reader.required(); line !== ""; line = reader.required()) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).trim()) {
      case "Log":
        file = value;
        break;
      case "Pos":
        position = positionOf(value, file, name);
        break;
      case "GTID":
        return { file, position, gtid: gtidText(value + followingGtids(reader), name) };
    }
  }
  return { file, position, gtid: "" };
}

/** A GTID set may go on over lines; the first line that is none ends it and belongs to nothing. */
function followingGtids(reader: LineReader): string {
  let out = "";
  for (let line = reader.next(); line !== undefined && line !== ""; line = reader.next()) {
    if (parseGtidSet(line.replace(/,$/, "")) === undefined) break;
    out += line;
  }
  return out;
}

function positionOf(text: string, file: string, name: string): bigint {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  if (value < 0n || value > (file === "tidb-binlog" ? UINT64_MAX : UINT32_MAX))
    throw new MetadataFormatError(`file ${name} invalid format: position "${text}"`);
  return value;
}

function gtidText(text: string, name: string): string {
  const set = parseGtidSet(text.replace(/,$/, ""));
  if (set === undefined) throw new MetadataFormatError(`file ${name} invalid format`);
  return set.text;
}

/** Keys of mydumper's sections over its versions; quotes and underscores vary. */
const FILE_KEYS = new Set(["file", "source_log_file", "log"]);
const POSITION_KEYS = new Set(["position", "source_log_pos", "pos"]);
const GTID_KEYS = new Set(["executed_gtid_set", "executed_gtid", "gtid", "gtid_binlog_pos"]);

/** `[master]` or `[source]` with `File`, `Position`, `Executed_Gtid_Set`; the location of a dumped replica's source is not the dump's. */
function parseSections(lines: readonly string[], name: string): DumpMetadata {
  let section = "";
  let [file, position, gtid] = ["", 0n, ""];
  let startedAt: string | undefined;
  let finishedAt: string | undefined;
  for (const line of lines) {
    startedAt ??= stamp(line, "Started");
    finishedAt ??= stamp(line, "Finished");
    const head = /^\[([^\]]+)\]$/.exec(line);
    if (head !== null) section = head[1]!.toLowerCase();
    else if (section === "master" || section === "source") {
      const entry = /^#?\s*(\w+)\s*=\s*(.*)$/.exec(line);
      if (entry === null) continue;
      const key = entry[1]!.toLowerCase();
      const value = entry[2]!.trim().replace(/^(["'])(.*)\1$/, "$2");
      if (FILE_KEYS.has(key)) file = value;
      else if (POSITION_KEYS.has(key)) position = positionOf(value, file, name);
      else if (GTID_KEYS.has(key)) gtid = gtidText(value, name);
    }
  }
  return { form: "sections", location: { file, position, gtid }, afterConnect: undefined, startedAt, finishedAt };
}
