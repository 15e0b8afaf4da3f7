/** Statements that write rows: parsed, checked for rows in their way, and put into a transaction as pairs. */
export {
  type EncodedRow,
  type MakeRowEncoder,
  type RowEncoder,
  RowError,
  type RowFault,
  type RowSession,
} from "./encoder.ts";
