import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../../src/base/mod.ts";
import * as codec from "../../src/codec/mod.ts";
import { readJsonLines } from "./golden-file.ts";

interface Golden {
  case: string;
  newCollation: boolean;
  sessionVars: { time_zone: string };
  tableInfo: {
    is_common_handle: boolean;
    cols: { id: number; type: codec.FieldTypeLike & { Array?: boolean } }[];
    index_info: { id: number; idx_cols: { offset: number }[] }[] | null;
  };
  pairs: [string, string][];
}

const tables = readJsonLines<Golden>("tables.jsonl.gz");

function encoded(write: (out: codec.ByteWriter) => void): Uint8Array {
  const out = new codec.ByteWriter();
  write(out);
  return out.toBytes();
}

function formsOf(table: Golden): Map<number, codec.ColumnForm> {
  const zone = codec.TimeZone.find(table.sessionVars.time_zone)!;
  return new Map(table.tableInfo.cols.map((c) => [c.id, codec.columnForm(c.type, table.newCollation, zone)!]));
}

/** A row of either format, decoded and encoded again. */
function again(row: Uint8Array, forms: Map<number, codec.ColumnForm>, tail: Uint8Array): Uint8Array {
  const cells = [...codec.decodeRow(row, forms)].map(([id, datum]) => ({ id, datum, form: forms.get(id)! }));
  if (row[0] !== codec.ROW_V2) return encoded((out) => codec.encodeRowV1(out, cells));
  const { checksum } = codec.splitRowV2(row);
  if (checksum === undefined) return encoded((out) => codec.encodeRowV2(out, cells));
  assert.ok(codec.rowChecksumFits(row, tail));
  return encoded((out) => codec.encodeRowV2(out, cells, { version: checksum.version as 2, tail }));
}

test("every golden record decodes and encodes to itself", () => {
  let records = 0;
  for (const table of tables) {
    const forms = formsOf(table);
    for (const [key, value] of table.pairs) {
      const parts = codec.splitKey(fromHex(key));
      if (parts.kind !== "record") continue;
      records++;
      assert.equal(toHex(codec.recordKey(parts.tableId, parts.handle)), key);
      const tail = encoded((out) => codec.encodeHandle(out, parts.handle));
      assert.equal(toHex(again(fromHex(value), forms, tail)), value, table.case);
    }
  }
  assert.ok(records > 2000, `${records}`);
});

test("every golden index entry splits and joins to itself", () => {
  let entries = 0;
  for (const table of tables) {
    const v1 = table.tableInfo.is_common_handle;
    const forms = formsOf(table);
    for (const [key, value] of table.pairs) {
      const parts = codec.splitKey(fromHex(key));
      if (parts.kind !== "index") continue;
      entries++;
      const segments = codec.splitIndexValue(fromHex(value));
      const back = encoded((out) => (v1 ? codec.encodeIndexValueV1 : codec.encodeIndexValueV0)(out, segments));
      assert.equal(toHex(back), value, table.case);
      checkDatums(table, parts, forms, v1 && segments.handle === undefined);
    }
  }
  assert.ok(entries > 3000, `${entries}`);
});

/** The datums of an index key read one by one, and written again, give the key; strings come back as sort keys. */
function checkDatums(
  table: Golden,
  parts: codec.KeyParts & { kind: "index" },
  forms: Map<number, codec.ColumnForm>,
  commonHandleBehind: boolean,
): void {
  const input = new codec.ByteReader(parts.rest);
  const info = table.tableInfo.index_info!.find((i) => BigInt(i.id) === parts.indexId)!;
  const written = encoded((out) => {
    for (const { offset } of info.idx_cols) {
      const form = forms.get(table.tableInfo.cols[offset]!.id)!;
      const plain = { ...form, collation: codec.rawCollation, zone: codec.TimeZone.utc };
      codec.encodeKeyDatum(out, codec.decodeFlaggedDatum(input, plain), plain);
    }
    if (commonHandleBehind) out.append(input.rest());
    else if (input.left > 0) out.append(input.take(9));
  });
  assert.equal(input.left, 0, table.case);
  assert.equal(toHex(written), toHex(parts.rest), table.case);
}

test("broken bytes are refused, never read past", () => {
  const forms = formsOf(tables[0]!);
  let refused = 0;
  for (const table of tables.slice(0, 60)) {
    for (const [key, value] of table.pairs.slice(0, 3)) {
      for (const bytes of [fromHex(key), fromHex(value)]) {
        for (let cut = 0; cut < Math.min(bytes.length, 40); cut++) {
          for (const read of [codec.splitKey, codec.splitRowV2, codec.splitIndexValue, codec.checkJson]) {
            try {
              read(bytes.subarray(0, cut));
            } catch (error) {
              assert.equal((error as { code?: string }).code, "Levin:Codec:ErrCorrupt", String(error));
              refused++;
            }
          }
        }
      }
    }
  }
  assert.ok(refused > 1000 && forms.size > 0);
});
