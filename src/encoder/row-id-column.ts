import { type ColumnInfo, Flag, SchemaState, Tp } from "../schema/mod.ts";

/** `_tidb_rowid` as a column, for casts (`NewExtraHandleColInfo` of TiDB). */
export const ROW_ID_INFO: ColumnInfo = {
  id: -1,
  name: { O: "_tidb_rowid", L: "_tidb_rowid" },
  offset: -1,
  origin_default: null,
  origin_default_bit: null,
  default: null,
  default_bit: null,
  default_is_expr: false,
  generated_expr_string: "",
  generated_stored: false,
  dependences: null,
  type: {
    Tp: Tp.longlong,
    Flag: Flag.notNull | Flag.priKey,
    Flen: 20,
    Decimal: 0,
    Charset: "binary",
    Collate: "binary",
    Elems: null,
  },
  state: SchemaState.public,
  comment: "",
  hidden: true,
  change_state_info: null,
  version: 2,
};
