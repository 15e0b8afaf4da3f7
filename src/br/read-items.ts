/** Group documents (the plain text of a data file's elements) into items. Field names are those of BR's structs. */
import { FieldTable, JsonReader } from "./json-reader.ts";
import type { BackupFile, BackupRange, LogItem, RestoreItem, TableMeta } from "./shapes.ts";

const NO_BYTES = null;

let meta: TableMeta;
const tableMetaFields = new FieldTable([
  [
    "physical_id",
    (json) => {
      meta.physicalId = json.int64() ?? meta.physicalId;
    },
  ],
  [
    "crc64xor",
    (json) => {
      meta.crc64xor = json.uint64() ?? meta.crc64xor;
    },
  ],
  [
    "total_kvs",
    (json) => {
      meta.totalKvs = json.uint64() ?? meta.totalKvs;
    },
  ],
  [
    "total_bytes",
    (json) => {
      meta.totalBytes = json.uint64() ?? meta.totalBytes;
    },
  ],
]);

let file: BackupFile;
const fileFields = new FieldTable([
  [
    "name",
    (json) => {
      file.name = json.string() ?? file.name;
    },
  ],
  [
    "sha256",
    (json) => {
      file.sha256 = json.base64();
    },
  ],
  [
    "start_key",
    (json) => {
      file.startKey = json.base64();
    },
  ],
  [
    "end_key",
    (json) => {
      file.endKey = json.base64();
    },
  ],
  [
    "start_version",
    (json) => {
      file.startVersion = json.uint64() ?? file.startVersion;
    },
  ],
  [
    "end_version",
    (json) => {
      file.endVersion = json.uint64() ?? file.endVersion;
    },
  ],
  [
    "crc64xor",
    (json) => {
      file.crc64xor = json.uint64() ?? file.crc64xor;
    },
  ],
  [
    "total_kvs",
    (json) => {
      file.totalKvs = json.uint64() ?? file.totalKvs;
    },
  ],
  [
    "total_bytes",
    (json) => {
      file.totalBytes = json.uint64() ?? file.totalBytes;
    },
  ],
  [
    "cf",
    (json) => {
      file.cf = json.string() ?? file.cf;
    },
  ],
  [
    "Size",
    (json) => {
      file.size = json.uint64() ?? file.size;
    },
  ],
  [
    "cipher_iv",
    (json) => {
      file.cipherIv = json.base64();
    },
  ],
  [
    "table_metas",
    (json) => {
      const metas: TableMeta[] = [];
      const there = json.array(() => {
        meta = { physicalId: 0n, crc64xor: 0n, totalKvs: 0n, totalBytes: 0n };
        json.record(tableMetaFields);
        metas.push(meta);
      });
      file.tableMetas = there ? metas : null;
    },
  ],
]);

function readFile(json: JsonReader): BackupFile | null {
  if (json.takeNull()) return null;
  file = {
    name: "",
    sha256: NO_BYTES,
    startKey: NO_BYTES,
    endKey: NO_BYTES,
    startVersion: 0n,
    endVersion: 0n,
    crc64xor: 0n,
    totalKvs: 0n,
    totalBytes: 0n,
    cf: "",
    size: 0n,
    cipherIv: NO_BYTES,
    tableMetas: null,
  };
  json.record(fileFields);
  return file;
}

function readFiles(json: JsonReader): (BackupFile | null)[] | null {
  const files: (BackupFile | null)[] = [];
  return json.array(() => void files.push(readFile(json))) ? files : null;
}

let range: BackupRange;
/** A known field was met; without one, an item of a group is nothing at all. */
let rangeSeen = false;
const rangeFields = new FieldTable([
  [
    "StartKey",
    (json) => {
      rangeSeen = true;
      range.startKey = json.base64();
    },
  ],
  [
    "EndKey",
    (json) => {
      rangeSeen = true;
      range.endKey = json.base64();
    },
  ],
  [
    "Files",
    (json) => {
      rangeSeen = true;
      range.files = readFiles(json);
    },
  ],
]);

/** A range object; all null for a `null`, as the original reads it. */
export function readRange(json: JsonReader): BackupRange {
  range = { startKey: null, endKey: null, files: null };
  json.record(rangeFields);
  return range;
}

/** An item of a group; null for one without fields, as the original reads it. */
function readRangeItem(json: JsonReader): BackupRange | null {
  rangeSeen = false;
  const item = readRange(json);
  return rangeSeen ? item : null;
}

let restoreItem: RestoreItem;
const newRestoreFields: [string, (json: JsonReader) => void][] = [
  [
    "range-key",
    (json) => {
      restoreItem.rangeKey = json.string() ?? restoreItem.rangeKey;
    },
  ],
  [
    "name",
    (json) => {
      restoreItem.name = json.string() ?? restoreItem.name;
    },
  ],
];
const restoreFields = new FieldTable(newRestoreFields);
/** The range that the item turns out to be; fields come in any order. */
function keysOfItem(): BackupRange {
  restoreItem.range ??= { startKey: null, endKey: null, files: null };
  return restoreItem.range;
}

const fileRestoreFields = new FieldTable([
  ...newRestoreFields,
  [
    "StartKey",
    (json: JsonReader) => {
      keysOfItem().startKey = json.base64();
    },
  ],
  [
    "EndKey",
    (json: JsonReader) => {
      keysOfItem().endKey = json.base64();
    },
  ],
  [
    "Files",
    (json: JsonReader) => {
      keysOfItem().files = readFiles(json);
    },
  ],
  [
    "RangeKey",
    (json: JsonReader) => {
      restoreItem.rangeKey = json.string() ?? restoreItem.rangeKey;
    },
  ],
]);

/** In tables; the older field `RangeKey` is unknown there. */
function readRestoreItem(json: JsonReader): RestoreItem {
  restoreItem = { rangeKey: "", name: "" };
  json.record(restoreFields);
  return restoreItem;
}

/** In files of 2024 and before. */
function readFileRestoreItem(json: JsonReader): RestoreItem {
  restoreItem = { rangeKey: "", name: "" };
  json.record(fileRestoreFields);
  return restoreItem;
}

let logItem: LogItem;
const logFields = new FieldTable([
  [
    "goff",
    (json) => {
      logItem.goff = json.int64() ?? logItem.goff;
    },
  ],
  [
    "foffs",
    (json) => {
      const foffs = logItem.foffs ?? new Map<bigint, bigint[] | null>();
      const there = json.members((name) => {
        if (!/^[+-]?\d+$/.test(name)) throw json.error(`"${name}" is no table id`);
        const id = BigInt(name.replace("+", ""));
        if (BigInt.asIntN(64, id) !== id) throw json.error(`"${name}" is no table id`);
        const offsets: bigint[] = [];
        foffs.set(id, json.array(() => void offsets.push(json.int64() ?? 0n)) ? offsets : null);
      });
      logItem.foffs = there ? foffs : null;
    },
  ],
]);

function readLogItem(json: JsonReader): LogItem {
  logItem = { goff: 0n, foffs: null };
  json.record(logFields);
  return logItem;
}

/** A decoded group: its key (text for backup and log restore, table id for snapshot restore) and its items in stored order. */
export interface Group<K, V> {
  key: K;
  items: V[];
}

function readGroup<K, V>(
  bytes: Uint8Array,
  zeroKey: K,
  readKey: (json: JsonReader) => K | undefined,
  readItem: (json: JsonReader) => V,
): Group<K, V> {
  const json = new JsonReader(bytes, "group");
  const group: Group<K, V> = { key: zeroKey, items: [] };
  json.object(
    new Map([
      [
        "group-key",
        () => {
          group.key = readKey(json) ?? group.key;
        },
      ],
      [
        "groups",
        () => {
          const items: V[] = [];
          json.array(() => void items.push(readItem(json)));
          group.items = items;
        },
      ],
    ]),
  );
  json.end();
  return group;
}

export type GroupReader<K, V> = (bytes: Uint8Array) => Group<K, V>;

export const readBackupGroup: GroupReader<string, BackupRange | null> = (bytes) =>
  readGroup(bytes, "", (json) => json.string(), readRangeItem);

export const readRestoreGroup: GroupReader<bigint, RestoreItem> = (bytes) =>
  readGroup(bytes, 0n, (json) => json.int64(), readRestoreItem);

export const readFileRestoreGroup: GroupReader<bigint, RestoreItem> = (bytes) =>
  readGroup(bytes, 0n, (json) => json.int64(), readFileRestoreItem);

export const readLogGroup: GroupReader<string, LogItem> = (bytes) =>
  readGroup(bytes, "", (json) => json.string(), readLogItem);
