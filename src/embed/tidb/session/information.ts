import type { Relation } from "../query/select.ts";
import { madeUp } from "./relations.ts";
import type { SessionState } from "./state.ts";
import { defaultText, extraText, keyText, typeText } from "./table-facts.ts";

type Made = (state: SessionState) => Relation;

const tableType = (table: { view: unknown; sequence: unknown }): string =>
  table.view ? "VIEW" : table.sequence ? "SEQUENCE" : "BASE TABLE";

const information: Record<string, Made> = {
  schemata: ({ front }) =>
    madeUp(
      ["CATALOG_NAME", "SCHEMA_NAME", "DEFAULT_CHARACTER_SET_NAME", "DEFAULT_COLLATION_NAME", "SQL_PATH"],
      front.catalog.databases().map((db) => ["def", db.name, db.charset, db.collate, null]),
    ),
  tables: ({ front }) =>
    madeUp(
      [
        "TABLE_CATALOG",
        "TABLE_SCHEMA",
        "TABLE_NAME",
        "TABLE_TYPE",
        "ENGINE",
        "TABLE_COLLATION",
        "TABLE_COMMENT",
        "TIDB_TABLE_ID",
      ],
      front.catalog
        .databases()
        .flatMap((db) =>
          front.catalog
            .tables(db.name)
            .map((table) => [
              "def",
              db.name,
              table.name.O,
              tableType(table),
              "InnoDB",
              table.collate,
              table.comment,
              String(table.id),
            ]),
        ),
      ["TIDB_TABLE_ID"],
    ),
  views: ({ front }) =>
    madeUp(
      ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"],
      front.catalog.databases().flatMap((db) =>
        front.catalog
          .tables(db.name)
          .filter((table) => table.view)
          .map((table) => ["def", db.name, table.name.O]),
      ),
    ),
  columns: ({ front }) =>
    madeUp(
      [
        "TABLE_SCHEMA",
        "TABLE_NAME",
        "COLUMN_NAME",
        "ORDINAL_POSITION",
        "COLUMN_DEFAULT",
        "IS_NULLABLE",
        "DATA_TYPE",
        "COLUMN_TYPE",
        "COLUMN_KEY",
        "EXTRA",
        "COLLATION_NAME",
        "CHARACTER_SET_NAME",
        "GENERATION_EXPRESSION",
      ],
      front.catalog.databases().flatMap((db) =>
        front.catalog.tables(db.name).flatMap((table) =>
          table.cols
            .filter((column) => !column.hidden && column.state === 5)
            .map((column) => {
              const type = typeText(column.type);
              const text = column.type.Charset !== "binary";
              return [
                db.name,
                table.name.O,
                column.name.O,
                String(column.offset + 1),
                defaultText(column),
                (column.type.Flag & 1) !== 0 ? "NO" : "YES",
                /^[a-z]+/.exec(type)![0],
                type,
                keyText(table, column),
                extraText(column, table),
                text ? column.type.Collate : null,
                text ? column.type.Charset : null,
                column.generated_expr_string,
              ];
            }),
        ),
      ),
      ["ORDINAL_POSITION"],
    ),
  tiflash_replica: () => madeUp(["TABLE_SCHEMA", "TABLE_NAME", "TABLE_ID", "REPLICA_COUNT"], [], ["REPLICA_COUNT"]),
  cluster_info: ({ front }) =>
    madeUp(
      ["TYPE", "INSTANCE", "STATUS_ADDRESS", "VERSION"],
      [
        [
          "tidb",
          `${front.addresses.host}:${front.addresses.port}`,
          `${front.addresses.host}:${front.addresses.statusPort}`,
          front.version,
        ],
        ...front.addresses.pd.map((address) => ["pd", address, address, front.version]),
      ],
    ),
  tikv_region_status: () =>
    madeUp(["REGION_ID", "TABLE_ID", "APPROXIMATE_SIZE"], [], ["REGION_ID", "TABLE_ID", "APPROXIMATE_SIZE"]),
};

const mysqlTables: Record<string, Made> = {
  tidb: ({ front }) =>
    madeUp(
      ["VARIABLE_NAME", "VARIABLE_VALUE", "COMMENT"],
      [
        ["bootstrapped", "True", "Bootstrap flag. Do not delete."],
        [
          "new_collation_enabled",
          front.newCollations ? "True" : "False",
          "If the new collations are enabled. Do not edit it.",
        ],
        ["system_tz", "Etc/UTC", "TiDB Global System Timezone."],
        [
          "tikv_gc_life_time",
          "10m0s",
          "All versions within life time will not be collected by GC, at least 10m, in Go format.",
        ],
      ],
    ),
  user: () => madeUp(["Host", "User"], [["%", "root"]]),
};

/** A table of information_schema or mysql, undefined where the name is none. */
export function informationRelation(db: string, table: string, state: SessionState): Relation | undefined {
  const made = { information_schema: information, mysql: mysqlTables }[db.toLowerCase()];
  return made?.[table.toLowerCase()]?.(state);
}
