/** The table model: TiDB's TableInfo, read from its JSON or made from DDL. */
export * from "./table-info.ts";
