import { type Catalog, keyOf, type Origin, wrongTable } from "./catalog.ts";
import { type DataFile, sortDataFiles } from "./router.ts";
import type { Source, SourceDatabase, SourceTable, SourceView } from "./source-model.ts";
import type { SchemaStatement } from "./sql-dump.ts";
import type { StoredFile } from "./storage.ts";
import { orderViews } from "./view-order.ts";

/** What a catalog gathered of the listed files, routed and in order. */
export function assembleSource(catalog: Catalog, listing: readonly StoredFile[]): Source {
  const { routes } = catalog.options;
  const tables = new Map<string, { table: SourceTable; files: DataFile[]; alters: SchemaStatement[] }>();
  for (const origin of [...catalog.origins.values()].sort((a, b) => compareNames(a, b))) {
    const key = keyOf(origin.database, origin.table);
    if (catalog.views.has(key) || catalog.sequences.has(key)) {
      if (origin.files.length === 0) continue;
      throw wrongTable(origin.files[0]!.file, `"${origin.table}" is no table`);
    }
    const target = routes.route(origin.database, origin.table);
    const targetKey = keyOf(target.database, target.table);
    const files = sortDataFiles(origin.files);
    const known = tables.get(targetKey);
    if (known !== undefined) {
      for (const file of files) known.files.push(file);
      known.table = { ...known.table, create: known.table.create ?? origin.create };
      continue;
    }
    const alters = [...origin.alters];
    const columnText = origin.columnText === "column" && catalog.fromTidb ? "tidb-column" : origin.columnText;
    const { database, table } = target;
    tables.set(targetKey, {
      table: { database, table, create: origin.create, alters, files, columnText },
      files,
      alters,
    });
  }
  const made = [...tables.values()].map(({ table }) => table);
  return {
    listing,
    files: listing.map((file) => catalog.reports.get(file.path)!),
    databases: databasesOf(catalog, made),
    sequences: sequencesOf(catalog),
    tables: made,
    views: orderViews(objects(catalog, catalog.views)),
    misnamedFiles: catalog.misnamed.size,
    notices: catalog.notices,
  };
}

/** Databases of the target: those of tables and views, and those that the dump makes and no route empties. */
function databasesOf(catalog: Catalog, tables: readonly SourceTable[]): SourceDatabase[] {
  const { filter, routes } = catalog.options;
  const out = new Map<string, SourceDatabase>();
  const add = (name: string, create: SchemaStatement | undefined): void => {
    const known = out.get(name.toLowerCase());
    if (known === undefined || known.create === undefined)
      out.set(name.toLowerCase(), { name: known?.name ?? name, create });
  };
  for (const { name, create } of catalog.databases.values()) {
    const origins = [...catalog.origins.values()].filter(
      ({ database }) => database.toLowerCase() === name.toLowerCase(),
    );
    const targets = origins.map(({ table }) => routes.route(name, table).database);
    for (const target of targets) add(target, create);
    if (targets.length === 0 && filter.matches(name, "")) add(routes.route(name, "").database, create);
  }
  for (const { database } of [...tables, ...objects(catalog, catalog.views), ...objects(catalog, catalog.sequences)])
    add(database, undefined);
  return [...out.values()];
}

function objects(
  catalog: Catalog,
  map: ReadonlyMap<string, { database: string; create: SchemaStatement }>,
): SourceView[] {
  return [...map.values()].map(({ database, create }) => {
    const target = catalog.options.routes.route(database, create.name);
    return { database: target.database, name: target.table, sourceDatabase: database, create };
  });
}

/** Each sequence, and behind it the statements that set its value. */
function sequencesOf(catalog: Catalog): SourceView[] {
  return objects(catalog, catalog.sequences).flatMap((made) => {
    const { values } = catalog.sequences.get(keyOf(made.sourceDatabase, made.create.name))!;
    return [made, ...values.map((value) => ({ ...made, create: value }))];
  });
}

function compareNames(a: Origin, b: Origin): number {
  const left = `${a.database}\0${a.table}`;
  const right = `${b.database}\0${b.table}`;
  return left < right ? -1 : left > right ? 1 : 0;
}
