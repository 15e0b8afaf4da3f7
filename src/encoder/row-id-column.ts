import { type ColumnInfo, Flag, PLAIN_COLUMN, Tp } from "../schema/mod.ts";

/** `_tidb_rowid` as a column, for casts (`NewExtraHandleColInfo` of TiDB). */
export const ROW_ID_INFO: ColumnInfo = {
  ...PLAIN_COLUMN,
  id: -1,
  name: { O: "_tidb_rowid", L: "_tidb_rowid" },
  offset: -1,
  type: {
    Tp: Tp.longlong,
    Flag: Flag.notNull | Flag.priKey,
    Flen: 20,
    Decimal: 0,
    Charset: "binary",
    Collate: "binary",
    Elems: null,
  },
  hidden: true,
};
