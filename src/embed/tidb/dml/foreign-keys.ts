import type { ForeignKeyInfo } from "../../../schema/mod.ts";
import { SqlError } from "../wire/mod.ts";
import type { EncodedRow } from "./encoder.ts";
import type { RowWriter } from "./writer.ts";

const ACTIONS = ["", "RESTRICT", "CASCADE", "SET NULL", "NO ACTION", "SET DEFAULT"];

const names = (list: readonly { O: string }[]): string => list.map(({ O }) => `\`${O}\``).join(",");

function constraintText(key: ForeignKeyInfo): string {
  const actions = [
    key.on_delete > 0 ? ` ON DELETE ${ACTIONS[key.on_delete]}` : "",
    key.on_update > 0 ? ` ON UPDATE ${ACTIONS[key.on_update]}` : "",
  ];
  return `CONSTRAINT \`${key.fk_name.O}\` FOREIGN KEY (${names(key.cols)}) REFERENCES \`${key.ref_table.O}\` (${names(key.ref_cols)})${actions.join("")}`;
}

/** Error 1452 where a foreign key of the row points to no row. Parents are looked for by a scan: sandboxes are small. */
export async function checkParents(writer: RowWriter, row: EncodedRow): Promise<void> {
  const { rows, context } = writer;
  if (!context.checkForeignKeys) return;
  for (const key of rows.table.fk_info ?? []) {
    if (key.version < 1) continue;
    const { values } = rows.texts(row.record);
    const wanted = key.cols.map(({ L }) => values[rows.table.cols.findIndex(({ name }) => name.L === L)] ?? null);
    if (wanted.includes(null) || (await hasParent(writer, key, wanted.map(String)))) continue;
    throw new SqlError(
      1452,
      `Cannot add or update a child row: a foreign key constraint fails (\`${rows.db}\`.\`${rows.table.name.O}\`, ${constraintText(key)})`,
      "23000",
    );
  }
}

async function hasParent(writer: RowWriter, key: ForeignKeyInfo, wanted: readonly string[]): Promise<boolean> {
  const parent = writer.rows.sibling(key.ref_schema.L === "" ? writer.rows.db : key.ref_schema.O, key.ref_table.O);
  if (parent === undefined) return false;
  const offsets = key.ref_cols.map(({ L }) => parent.table.cols.findIndex(({ name }) => name.L === L));
  for await (const batch of parent.scan(writer.context.txn.current)) {
    for (const pair of batch) {
      const { values } = parent.texts(pair);
      if (offsets.every((offset, i) => String(values[offset]) === wanted[i])) return true;
    }
  }
  return false;
}
