/**
 * Every key that tidb-lightning's configuration knows (its 5.0 to 8.5 lines), with type, levin's default and what levin does with it. A key
 * that is accepted but does nothing here says why. Keys of levin alone are in `[levin]`.
 */
export type KeyType =
  | "string"
  | "boolean"
  | "integer"
  | "number"
  | "size"
  | "duration"
  | "strings"
  | "string-or-strings"
  | "string-or-boolean"
  | "integer-or-table"
  | "map"
  | "tables";

export interface KeySpec {
  type: KeyType;
  default?: unknown;
  /** One sentence for the schema and the README. */
  doc: string;
  /** Present when the key is accepted without effect: the reason, printed once. */
  noEffect?: string;
  /** The key's value is never printed. */
  secret?: true;
  /** Allowed values of a string, lower case. */
  oneOf?: readonly string[];
  /** Bounds of an integer, both included. */
  range?: readonly [min: number, max: number];
}

const key = (type: KeyType, doc: string, more: Omit<KeySpec, "type" | "doc"> = {}): KeySpec => ({ type, doc, ...more });
const PORT_MAX = 65_535;
/** More than any machine runs. */
const THREADS_MAX = 4096;
/** There are no more region jobs at a time. */
const INGEST_THREADS_MAX = 8;
const COUNT_MAX = Number.MAX_SAFE_INTEGER;
const without = (type: KeyType, reason: string): KeySpec => ({ type, doc: `No effect: ${reason}.`, noEffect: reason });

const tls = {
  "ca-path": key("string", "File with the CA certificate.", { default: "" }),
  "cert-path": key("string", "File with the client certificate.", { default: "" }),
  "key-path": key("string", "File with the client key.", { default: "" }),
  "ca-bytes": key("string", "CA certificate, inline PEM.", { default: "", secret: true }),
  "cert-bytes": key("string", "Client certificate, inline PEM.", { default: "", secret: true }),
  "key-bytes": key("string", "Client key, inline PEM.", { default: "", secret: true }),
  "cert-allowed-cn": key("strings", "Common names that a server certificate may have.", { default: [] }),
  "redact-info-log": key("boolean", "Leave row data out of logs and messages.", { default: false }),
} satisfies Record<string, KeySpec>;

/** section → key → spec. Sections with a dot are nested tables. */
export const configKeys = {
  levin: {
    "state-dir": key("string", "Directory of the job's state.", { default: "" }),
    memory: key("size", "Ceiling of the memory that levin plans with.", { default: 0 }),
    workers: key("integer", "Encode workers; 0 = one a core.", { default: 0, range: [0, THREADS_MAX] }),
    "ingest-threads": key(
      "integer",
      "Threads that write to the stores; 0 = none; not given: as many as the cores are worth.",
      {
        default: 0,
        range: [0, INGEST_THREADS_MAX],
      },
    ),
    "block-store": key(
      "string",
      "Sorted blocks in a file a run beside LevelDB (`files`) or in LevelDB itself (`level`: more CPU time, smaller arenas).",
      {
        default: "files",
        oneOf: ["files", "level"],
      },
    ),
    "time-zone": key("string", "Session time zone; empty = the server's.", { default: "" }),
    compat: key("string", "`lightning` switches the safe defaults to Lightning's.", {
      default: "",
      oneOf: ["", "lightning"],
    }),
    "ignore-unmatched": key("boolean", "Go on when a file that looks like data fits no rule.", { default: false }),
    "allow-unfinished-dump": key("boolean", "Go on when a dump seems not to have been written to its end.", {
      default: false,
    }),
    table: key("string", "Every file of the source holds rows of this table, DB.TABLE.", { default: "" }),
    database: key("string", "What unqualified names in SQL dumps stand in.", { default: "" }),
    "status-token": key("string", "What callers of the HTTP server must send as a bearer token.", {
      default: "",
      secret: true,
    }),
    timeout: key("duration", "Overall ceiling of waiting for the cluster in one retried step.", { default: 1_800_000 }),
  },
  lightning: {
    level: key("string", "Log level.", { default: "info", oneOf: ["debug", "info", "warn", "error", "fatal"] }),
    file: key("string", "A log file beside levin.log in the state directory, with the same lines; `-`: none.", {
      default: "",
    }),
    "max-size": without("integer", "levin's log is one file a run"),
    "max-days": without("integer", "levin's log is one file a run"),
    "max-backups": without("integer", "levin's log is one file a run"),
    "enable-diagnose-logs": without("boolean", "the log always has the first cause"),
    "status-addr": key("string", "Address of the HTTP server.", { default: "" }),
    "pprof-port": key("integer", "Old name of status-addr (port only).", { default: 0, range: [0, PORT_MAX] }),
    "server-mode": key("boolean", "Take tasks over HTTP.", { default: false }),
    "check-requirements": key("boolean", "Run the pre-checks before the import.", { default: true }),
    "index-concurrency": without("integer", "data and index pairs of a table share one pipeline"),
    "table-concurrency": without("integer", "tables share the workers; the memory budget decides how many are open"),
    "region-concurrency": key("integer", "Encode workers; 0 = one a core.", { default: 0, range: [0, THREADS_MAX] }),
    "io-concurrency": without("integer", "each worker reads its own chunk"),
    "meta-schema-name": key("string", "Schema of the tables that parallel imports share.", {
      default: "lightning_metadata",
    }),
    "task-info-schema-name": key("string", "Schema of the error tables; empty = none.", { default: "" }),
    "max-error": key("integer-or-table", "How many rows that cannot be cast are reported and left out.", {
      default: 0,
    }),
    "max-error-records": without("integer", "see conflict.max-record-rows"),
  },
  security: tls,
  checkpoint: {
    enable: key(
      "boolean",
      "Keep Lightning's own checkpoints where a driver is named; levin's own state is always kept.",
      {
        default: true,
      },
    ),
    schema: key("string", "Name of the checkpoint schema or file.", { default: "tidb_lightning_checkpoint" }),
    driver: key("string", "Also keep Lightning's own checkpoints: `file` or `mysql`.", {
      default: "",
      oneOf: ["", "file", "mysql"],
    }),
    dsn: key("string", "Where Lightning's own checkpoints are.", { default: "", secret: true }),
    "keep-after-success": key("string-or-boolean", "What becomes of the state after success.", { default: "remove" }),
  },
  conflict: {
    strategy: key("string", "What to do with rows that conflict.", {
      default: "",
      oneOf: ["", "error", "replace", "ignore"],
    }),
    "precheck-conflict-before-import": key("boolean", "Look for conflicts before anything is ingested.", {
      default: false,
    }),
    threshold: key("integer", "How many conflicts stop the import; -1 = by strategy.", {
      default: -1,
      range: [-1, COUNT_MAX],
    }),
    "max-record-rows": key("integer", "How many conflicting rows are reported; -1 = as threshold.", {
      default: -1,
      range: [-1, COUNT_MAX],
    }),
  },
  "tikv-importer": {
    backend: key("string", "`local` (physical) or `tidb` (logical).", { default: "local", oneOf: ["local", "tidb"] }),
    "sorted-kv-dir": key("string", "Directory of the sorted pairs; empty = in the state directory.", { default: "" }),
    addr: without("string", "the importer backend is gone"),
    "on-duplicate": key("string", "Old name of conflict.strategy for the tidb backend.", { default: "" }),
    "duplicate-resolution": key("string", "Old name of conflict.strategy for the local backend.", { default: "" }),
    "incremental-import": key("boolean", "Tables may have rows already; rows in their way are conflicts.", {
      default: false,
    }),
    "max-kv-pairs": without("integer", "blocks are cut by size"),
    "send-kv-pairs": without("integer", "messages are cut by size, as in Lightning since 7.2"),
    "parallel-import": key("boolean", "Several processes import into one table; only false is supported.", {
      default: false,
    }),
    "send-kv-size": without("size", "levin sends messages of 256 KiB to 1 MiB"),
    "compress-kv-pairs": without("string", "compression costs more CPU than the network saves"),
    "region-split-size": key("size", "Size at which ranges are cut; 0 = 96 MiB.", { default: 0 }),
    "region-split-keys": key("integer", "Keys at which ranges are cut; 0 = 2/3 of 1,440,000.", {
      default: 0,
      range: [0, COUNT_MAX],
    }),
    "region-split-batch-size": key("integer", "Keys in one split request.", { default: 4096, range: [1, COUNT_MAX] }),
    "region-split-concurrency": without("integer", "levin splits region after region, before it writes"),
    "region-check-backoff-limit": without("integer", "waiting has one ceiling, levin.timeout"),
    "range-concurrency": key("integer", "Region jobs at a time.", { default: 16, range: [0, THREADS_MAX] }),
    "disk-quota": key("size", "Ceiling of the local disk that sorted pairs take; 0 = none.", { default: 0 }),
    "keyspace-name": key("string", "Keyspace; only empty is supported.", { default: "", oneOf: [""] }),
    "add-index-by-sql": without("boolean", "levin writes index pairs itself"),
    "engine-mem-cache-size": without("size", "see levin.memory"),
    "local-writer-mem-cache-size": without("size", "see levin.memory"),
    "store-write-bwlimit": key("size", "Bytes a second to one store; 0 = no limit.", { default: 0 }),
    "logical-import-batch-size": key(
      "size",
      "Bytes of one INSERT of the tidb backend; into MySQL and MariaDB 1 MiB where it is not given.",
      { default: 96 << 10 },
    ),
    "logical-import-batch-rows": key("integer", "Rows of one INSERT of the tidb backend.", {
      default: 65536,
      range: [1, COUNT_MAX],
    }),
    "logical-import-prep-stmt": without(
      "boolean",
      "rows as text cost the client a third of the CPU time of parameters",
    ),
    "pause-pd-scheduler-scope": key("string", "`table` or `global`.", { default: "table", oneOf: ["table", "global"] }),
    "block-size": without("size", "blocks of the local store are 256 KiB"),
  },
  mydumper: {
    "data-source-dir": key("string", "Directory, file or URL of the source.", { default: "" }),
    "read-block-size": without("size", "levin reads windows sized by its memory budget"),
    "batch-size": without("size", "runs are merged on read; tables need no batches"),
    "batch-import-ratio": without("number", "runs are merged on read; tables need no batches"),
    "max-region-size": key("size", "Size of the chunks that big files are cut into.", { default: 256 << 20 }),
    "strict-format": key("boolean", "The source promises that no line end stands inside a value.", { default: false }),
    filter: key("strings", "Table filter rules.", { default: [] }),
    "character-set": key("string", "Character set of schema files.", { default: "auto" }),
    "data-character-set": key("string", "Character set of data files.", { default: "utf8mb4" }),
    "data-invalid-char-replace": key("string", "Stands for characters that cannot be converted.", { default: "�" }),
    "case-sensitive": key("boolean", "File and table rules tell upper from lower case.", { default: false }),
    "default-file-rules": key("boolean", "Add the default file rules behind one's own.", {}),
    tables: key("tables", "How some tables are written: filter, data-character-set, csv.", { default: [] }),
    files: key("tables", "File rules: pattern or path, schema, table, type, key, compression.", { default: [] }),
    "ignore-columns": key("tables", "Columns left out: db, table or table-filter, columns.", { default: [] }),
    "ignore-data-columns": key("tables", "Another spelling of ignore-columns.", { default: [] }),
    "no-schema": key("boolean", "Do not run schema files; the tables exist.", { default: false }),
    "source-id": key("string", "Value of extract-source columns.", { default: "" }),
    "allow-short-rows": key("boolean", "Missing trailing fields take their defaults (counted).", { default: false }),
  },
  "mydumper.csv": {
    separator: key("string", "Between fields.", { default: "," }),
    delimiter: key("string", "Around fields; empty = none.", { default: '"' }),
    terminator: key("string", "Line end; empty = CR, LF or CRLF.", { default: "" }),
    header: key("boolean", "The first line has column names.", { default: true }),
    "header-schema-match": key("boolean", "Map columns by the header's names.", { default: true }),
    null: key("string-or-strings", "Texts that are NULL.", { default: "\\N" }),
    "not-null": key("boolean", "Nothing is NULL.", { default: false }),
    "escaped-by": key("string", "Escape character; empty = none.", { default: "\\" }),
    "backslash-escape": key("boolean", "Old form of escaped-by.", { default: true }),
    "trim-last-separator": key("boolean", "A separator at the line's end is not a field.", { default: false }),
    "lines-starting-by": key("string", "Text before each line's first field.", { default: "" }),
    "skip-lines": key("integer", "Lines left out at each file's beginning.", { default: 0, range: [0, COUNT_MAX] }),
    "blank-lines": key("string", "`skip`, `row`, or `auto`: a row in files of one column.", {
      default: "auto",
      oneOf: ["auto", "skip", "row"],
    }),
    "quoted-null-is-text": key("boolean", "A quoted NULL marker is text.", { default: true }),
    "unescaped-quote": key("boolean", "Quotes inside quoted fields are not doubled (ESCAPED BY '').", {
      default: false,
    }),
    "binary-format": key("string", "How binary columns are written: `raw`, `hex` or `base64`.", {
      default: "raw",
      oneOf: ["raw", "hex", "base64"],
    }),
  },
  tidb: {
    host: key("string", "TiDB's host.", { default: "127.0.0.1" }),
    port: key("integer", "TiDB's MySQL port.", { default: 4000, range: [1, PORT_MAX] }),
    user: key("string", "User.", { default: "root" }),
    password: key("string", "Password.", { default: "", secret: true }),
    "status-port": key("integer", "TiDB's status port.", { default: 10080, range: [1, PORT_MAX] }),
    "pd-addr": key("string", "PD addresses, comma separated; empty = as TiDB says.", { default: "" }),
    "log-level": without("string", "levin has no TiDB inside that could log"),
    "sql-mode": key("string", "SQL mode of casts.", {}),
    tls: key("string", "false, cluster, skip-verify, preferred.", {
      default: "",
      oneOf: ["", "false", "cluster", "skip-verify", "preferred"],
    }),
    "max-allowed-packet": key("size", "Ceiling of one statement; 0 = the server's.", { default: 64 << 20 }),
    "distsql-scan-concurrency": key("integer", "Checksum requests of a table at a time; not given: 8.", {
      default: 15,
      range: [1, 256],
    }),
    "build-stats-concurrency": key("integer", "ANALYZE's concurrency in TiDB; not given: TiDB's.", {
      default: 20,
      range: [1, 256],
    }),
    "index-serial-scan-concurrency": key("integer", "Index scans of ANALYZE in TiDB; not given: TiDB's.", {
      default: 20,
      range: [1, 256],
    }),
    "checksum-table-concurrency": without("integer", "eight tables are verified at a time"),
    "session-vars": key("map", "Further session variables.", { default: {} }),
  },
  "tidb.security": {
    ...tls,
    "cert-allowed-cn": without(
      "strings",
      "servers are known by the certificate's host name; see security.cert-allowed-cn",
    ),
    "redact-info-log": without("boolean", "see security.redact-info-log"),
  },
  "post-restore": {
    checksum: key("string-or-boolean", "`required`, `optional` or `off`.", { default: "required" }),
    analyze: key("string-or-boolean", "`required`, `optional` or `off`.", { default: "off" }),
    "level-1-compact": key("boolean", "Compact level 0 and 1 of all stores at the end.", { default: false }),
    compact: key("boolean", "Compact all stores at the end.", { default: false }),
    "post-process-at-last": without("boolean", "a table is verified and analyzed as soon as it is in"),
    "analyze-at-last": without("boolean", "a table is verified and analyzed as soon as it is in"),
    "checksum-via-sql": without("boolean", "levin asks the stores for sums itself, which needs no change of GC"),
  },
  cron: {
    "switch-mode": key("duration", "How often import mode is renewed; 0 = never entered.", { default: 300_000 }),
    "log-progress": without("duration", "the log has a line for each stage and table; levin status DIR shows progress"),
    "check-disk-quota": without("duration", "disk use is accounted at each write"),
  },
  "": {
    routes: key("tables", "Routes: schema-pattern, table-pattern, target-schema, target-table, extract-*.", {
      default: [],
    }),
  },
  "black-white-list": {
    "do-dbs": key("strings", "Old filter: only these databases.", { default: [] }),
    "ignore-dbs": key("strings", "Old filter: not these databases.", { default: [] }),
    "do-tables": key("tables", "Old filter: only these tables.", { default: [] }),
    "ignore-tables": key("tables", "Old filter: not these tables.", { default: [] }),
  },
} satisfies Record<string, Record<string, KeySpec>>;
