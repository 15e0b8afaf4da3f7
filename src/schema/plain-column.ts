import { type ColumnInfo, SchemaState } from "./table-info.ts";

/** What a public column without default has beside its id, name, place and type; as TiDB makes it today (version 2). */
export const PLAIN_COLUMN: Readonly<Omit<ColumnInfo, "id" | "name" | "offset" | "type">> = {
  origin_default: null,
  origin_default_bit: null,
  default: null,
  default_bit: null,
  default_is_expr: false,
  generated_expr_string: "",
  generated_stored: false,
  dependences: null,
  state: SchemaState.public,
  comment: "",
  hidden: false,
  change_state_info: null,
  version: 2,
};
