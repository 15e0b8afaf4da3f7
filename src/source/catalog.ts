import { LevinError } from "../base/mod.ts";
import type { Charset } from "./charset.ts";
import type { CsvDialect } from "./csv-dialect.ts";
import type { DataFile, DataVerdict, DumpFile, NameCandidate, SchemaFile } from "./router.ts";
import type { Router } from "./routes.ts";
import { openPlain, schemaError } from "./schema-files.ts";
import type { ColumnText, FileReport } from "./source-model.ts";
import { sameTable } from "./sql-data.ts";
import { type DumpContent, readSqlDump, type SchemaStatement } from "./sql-dump.ts";
import type { Storage, StoredFile } from "./storage.ts";
import type { TableFilter } from "./table-filter.ts";

export interface CatalogOptions {
  readonly storage: Storage;
  readonly filter: TableFilter;
  readonly routes: Router;
  readonly settings: (database: string, table: string) => { dialect: CsvDialect; charset: Charset };
  readonly database: string | undefined;
  /** File names and rules decide, whatever the statements name. */
  readonly trustNames: boolean;
  readonly sqlMode: string | undefined;
  readonly dataCharset: Charset;
}

const MAKERS: ReadonlySet<string> = new Set(["create-table", "create-view", "create-sequence"]);

/** A table of the source. */
export interface Origin {
  readonly database: string;
  readonly table: string;
  create: SchemaStatement | undefined;
  readonly alters: SchemaStatement[];
  readonly files: DataFile[];
  columnText: ColumnText;
}

/**
 * Gathers what the files of a source hold and settles which table each belongs to. Names of the source are told apart without
 * regard to case, as TiDB does; two tables that differ in case only are an error, not one table.
 */
export class Catalog {
  readonly options: CatalogOptions;
  readonly reports = new Map<string, FileReport>();
  readonly databases = new Map<string, { name: string; create: SchemaStatement | undefined }>();
  readonly origins = new Map<string, Origin>();
  readonly views = new Map<string, { database: string; create: SchemaStatement }>();
  /** Each with the statements that set its value. */
  readonly sequences = new Map<string, { database: string; create: SchemaStatement; values: SchemaStatement[] }>();
  readonly notices: string[] = [];
  /** Paths of files whose names counted though their statements name something else. */
  readonly misnamed = new Set<string>();
  /** The dump is of a TiDB: its statements have TiDB's comments. */
  fromTidb = false;

  constructor(options: CatalogOptions) {
    this.options = options;
  }

  leftOut(file: StoredFile, verdict: FileReport["verdict"], detail: string): void {
    this.reports.set(file.path, { path: file.path, sizeBytes: file.sizeBytes, verdict, detail });
  }

  /** Takes the statements of a schema file, which must make what the file's name says. */
  addSchemaFile(verdict: SchemaFile, content: DumpContent): void {
    for (const { text } of content.statements) this.fromTidb ||= text.includes("/*T!");
    if (verdict.what === "database") this.addDatabaseFile(verdict, content);
    else this.addObjectFile(verdict, content);
  }

  private addObjectFile(verdict: SchemaFile, content: DumpContent): void {
    const { file, names } = verdict;
    const made = content.statements.filter(({ kind }) => MAKERS.has(kind));
    const [create] = made;
    if (create === undefined) throw schemaError(file.path, `it holds no CREATE ${verdict.what.toUpperCase()}`);
    if (made.length > 1) throw schemaError(file.path, `it makes ${made.length} things, "${made[1]!.name}" among them`);
    const agreed = names.find((candidate) => this.isNamed(candidate, create));
    const name = agreed ?? (this.options.trustNames ? names[0] : undefined);
    if (agreed === undefined) this.misnamed.add(file.path);
    if (name === undefined) {
      const detail = `its statement makes "${create.name}", its name says "${names[0]!.table}"`;
      throw wrongTable(file, detail);
    }
    const table = this.options.trustNames ? name.table : create.name;
    if (!this.options.filter.matches(name.database, table)) {
      this.leftOut(file, "filtered", `${name.database}.${table} is left out by the filter`);
      return;
    }
    const detail = `${create.kind.slice("create-".length)} ${name.database}.${table}`;
    this.leftOut(file, "schema", detail);
    const statement = { ...create, database: name.database, name: table };
    this.addStatement(name.database, statement);
    for (const other of content.statements) {
      if (MAKERS.has(other.kind) || other.kind === "create-database") continue;
      this.addStatement(name.database, { ...other, database: name.database, name: table });
    }
  }

  private addDatabaseFile({ file, names }: SchemaFile, content: DumpContent): void {
    const create = content.statements.find(({ kind }) => kind === "create-database");
    if (create === undefined) throw schemaError(file.path, "it holds no CREATE DATABASE");
    const given = create.database ?? "";
    const name = names.find(({ database }) => database.toLowerCase() === given.toLowerCase());
    if (name === undefined && !this.options.trustNames) {
      throw wrongTable(file, `its statement makes the database "${given}", its name says "${names[0]!.database}"`);
    }
    this.leftOut(file, "schema", `database ${given}`);
    this.addDatabase(name?.database ?? names[0]!.database, create);
  }

  /** Takes a SQL dump: its statements, and where its rows are. */
  addDump({ file, compression }: DumpFile, content: DumpContent): void {
    const databaseOf = (database: string | undefined, what: string): string => {
      const name = database ?? this.options.database ?? content.headDatabase;
      if (name !== undefined) return name;
      throw wrongTable(file, `it does not say which database "${what}" is in; name it with --database`);
    };
    for (const { text } of content.statements) this.fromTidb ||= text.includes("/*T!");
    for (const statement of content.statements) {
      if (statement.kind === "create-database") this.addDatabase(statement.database ?? "", statement);
      else this.addStatement(databaseOf(statement.database, statement.name), statement);
    }
    const tables = new Set<string>();
    for (const { database, table, pieces } of content.rows) {
      const from = databaseOf(database, table);
      if (!this.options.filter.matches(from, table)) continue;
      tables.add(`${from}.${table}`);
      const origin = this.origin(from, table);
      const insertNames = { database, table };
      const { charset } = this.options.settings(from, table);
      const last = { format: "sql", compression, charset, dialect: undefined, pieces } as const;
      const routed = this.options.routes.route(from, table);
      origin.files.push({ file, ...routed, insertNames, sortKey: "", ...last });
      if (content.textInColumnCharset) origin.columnText = "column";
    }
    const routines = content.leftOut.get("routine") ?? 0;
    const left =
      routines === 0 ? "" : `; ${routines} triggers, procedures, functions or events left out: TiDB has none`;
    this.leftOut(file, "dump", `statements and rows of ${tables.size} tables${left}`);
    if (routines > 0) this.notices.push(`"${file.path}"${left.slice(1)}`);
  }

  /** Settles which table a data file is for: by the schema files, by its first INSERT, by the usual reading of its name. */
  async addDataFile(verdict: DataVerdict): Promise<void> {
    const { file, format, compression, byUser } = verdict;
    const head = await this.headOf(verdict);
    const name = this.choose(verdict, head);
    const { database, table, sortKey } = name;
    if (!this.options.filter.matches(database, table)) {
      this.leftOut(file, "filtered", `${database}.${table} is left out by the filter`);
      return;
    }
    const origin = this.origin(database, table);
    if (head !== undefined) this.takeHead(origin, head);
    const inserted = head?.rows[0];
    if (inserted !== undefined && !verdict.byUser && !sameTable(inserted, { database, table }))
      this.misnamed.add(file.path);
    const { charset, dialect } = this.options.settings(database, table);
    const insertNames = byUser || this.options.trustNames ? undefined : { database, table };
    const routed = this.options.routes.route(database, table);
    origin.files.push({
      file,
      ...routed,
      insertNames,
      sortKey,
      format,
      compression,
      charset,
      dialect: format === "csv" ? dialect : undefined,
      pieces: undefined,
    });
    this.leftOut(file, "data", `rows of ${database}.${table}`);
  }

  /** The statements before the first row of a SQL file: of each table's first one, and where the name is not clear. */
  private async headOf({ file, names, format, compression }: DataVerdict): Promise<DumpContent | undefined> {
    if (format !== "sql" || file.sizeBytes === 0) return undefined;
    const known = names.filter((name) => this.origins.has(keyOf(name.database, name.table)));
    const only = known.length === 1 ? this.origins.get(keyOf(known[0]!.database, known[0]!.table)) : undefined;
    if (only !== undefined && only.files.length > 0) return undefined;
    const source = await openPlain(this.options.storage, file, compression);
    return readSqlDump(source, {
      file: file.path,
      charset: this.options.dataCharset,
      sqlMode: this.options.sqlMode,
      sizeBytes: Number.POSITIVE_INFINITY,
      headOnly: true,
    });
  }

  private choose({ names, byUser }: DataVerdict, head: DumpContent | undefined): NameCandidate {
    const known = names.filter((name) => this.origins.has(keyOf(name.database, name.table)));
    if (known.length === 1) return known[0]!;
    const inserted = byUser ? undefined : head?.rows[0]?.table;
    const among = known.length > 0 ? known : names;
    return (
      among.find(({ table }) => table === inserted) ??
      among.find(({ table }) => table.toLowerCase() === inserted?.toLowerCase()) ??
      among[0]!
    );
  }

  /** mysqldump with a file a table puts CREATE TABLE before the rows; and the head shows which tool wrote the file. */
  private takeHead(origin: Origin, head: DumpContent): void {
    const create = head.statements.find(
      ({ kind, name }) => kind === "create-table" && name.toLowerCase() === origin.table.toLowerCase(),
    );
    origin.create ??= create;
    if (head.textInColumnCharset) origin.columnText = "column";
  }

  private addDatabase(name: string, create: SchemaStatement | undefined): void {
    const key = name.toLowerCase();
    const known = this.databases.get(key);
    if (known === undefined) this.databases.set(key, { name, create });
    else known.create ??= create;
  }

  private addStatement(database: string, statement: SchemaStatement): void {
    const { name, kind } = statement;
    if (!this.options.filter.matches(database, name)) return;
    const key = keyOf(database, name);
    if (kind === "create-view") {
      this.views.set(key, { database, create: statement });
    } else if (kind === "create-sequence") {
      this.sequences.set(key, { database, create: statement, values: [] });
    } else if (kind === "set-sequence") {
      this.sequences.get(key)?.values.push(statement);
    } else if (kind === "create-table") {
      const origin = this.origin(database, name);
      if (origin.create !== undefined) this.refuseSecond(origin, database, statement);
      origin.create = statement;
    } else {
      this.origin(database, name).alters.push(statement);
    }
  }

  private refuseSecond(origin: Origin, database: string, statement: SchemaStatement): void {
    const first = `${origin.database}.${origin.table} ("${origin.create!.file}")`;
    const second = `${database}.${statement.name} ("${statement.file}")`;
    throw new LevinError("Levin:Source:ErrWrongTable", `Cannot import two tables of one name: ${first} and ${second}`, {
      fields: { file: statement.file, table: `${database}.${statement.name}` },
    });
  }

  private origin(database: string, table: string): Origin {
    const key = keyOf(database, table);
    let origin = this.origins.get(key);
    if (origin === undefined) {
      origin = { database, table, create: undefined, alters: [], files: [], columnText: "utf8" };
      this.origins.set(key, origin);
    }
    return origin;
  }

  private isNamed(candidate: NameCandidate, create: SchemaStatement): boolean {
    if (candidate.table.toLowerCase() !== create.name.toLowerCase()) return false;
    return create.database === undefined || create.database.toLowerCase() === candidate.database.toLowerCase();
  }
}

/** Names are told apart as TiDB does, without regard to case. */
export function keyOf(database: string, table: string): string {
  return `${database.toLowerCase()}\0${table.toLowerCase()}`;
}

export function wrongTable(file: StoredFile, detail: string): LevinError {
  return new LevinError("Levin:Source:ErrWrongTable", `Cannot use "${file.path}": ${detail}`, {
    fields: { file: file.path },
  });
}
