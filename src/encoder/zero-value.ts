/** The value that non-strict modes put where NULL is not allowed (`GetZeroValue` of TiDB's `pkg/table/column.go`). */
import { type Datum, writeLiteral } from "../codec/mod.ts";
import { Tp } from "../schema/mod.ts";
import type { ColumnLayout } from "./layout.ts";

export function zeroValue(column: ColumnLayout): Datum {
  const { form, info } = column;
  switch (form.kind) {
    case "int":
    case "uint":
    case "enum":
    case "set":
    case "bit":
      return { kind: form.kind, value: 0n };
    case "float":
      return { kind: "float", value: 0 };
    case "decimal":
      return { kind: "decimal", value: { negative: false, unscaled: 0n, scale: form.scale } };
    case "time":
      return { kind: "time", packed: 0n, tp: form.tp, fsp: form.fsp };
    case "duration":
      return { kind: "duration", nanos: 0n, fsp: form.fsp };
    case "json":
      return { kind: "json", value: writeLiteral(null) };
    case "vector":
      return { kind: "vector", value: new Uint8Array(4) };
    case "bytes": {
      const padded = info.type.Tp === Tp.string && info.type.Collate === "binary" && info.type.Flen > 0;
      return { kind: "bytes", value: new Uint8Array(padded ? info.type.Flen : 0), collation: form.collationName };
    }
  }
}
