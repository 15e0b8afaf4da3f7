/** Ranges that a killed backup appends: each is known by its number, so that a reader can tell what is lost and what is invented. */
import { equalBytes, utf8 } from "../../src/base/mod.ts";
import type { BackupRange } from "../../src/br/mod.ts";

function keyOf(index: number): Uint8Array {
  const key = new Uint8Array(12);
  key.set(utf8("t_r_"));
  new DataView(key.buffer).setBigUint64(4, BigInt(index));
  return key;
}

export function rangeOf(index: number): BackupRange {
  const startKey = keyOf(index);
  const endKey = keyOf(index + 1);
  const file = {
    name: `${index % 9}/${index}_default.sst`,
    sha256: new Uint8Array(32).fill(index % 251),
    startKey,
    endKey,
    startVersion: 0n,
    endVersion: 455_082_095_194_886_736n,
    crc64xor: BigInt.asUintN(64, BigInt(index) * 0x9e37_79b9_7f4a_7c15n),
    totalKvs: BigInt(index),
    totalBytes: BigInt(index) * 100n,
    cf: "default",
    size: 12_000_000n,
    cipherIv: null,
    tableMetas: null,
  };
  return { startKey, endKey, files: [file] };
}

/** The number of a range that was read; undefined when it is none that was appended. */
export function indexOf(range: BackupRange | null, count: number): number | undefined {
  const { startKey, endKey, files } = range ?? {};
  if (startKey?.length !== 12 || !endKey) return undefined;
  const index = Number(new DataView(startKey.buffer, startKey.byteOffset).getBigUint64(4));
  const file = files?.[0];
  if (!(index < count) || file === undefined || file === null || files!.length !== 1) return undefined;
  const wanted = rangeOf(index);
  const same =
    equalBytes(startKey, wanted.startKey!) &&
    equalBytes(endKey, wanted.endKey!) &&
    file.name === wanted.files![0]!.name &&
    file.crc64xor === wanted.files![0]!.crc64xor &&
    file.totalKvs === BigInt(index) &&
    file.endVersion === wanted.files![0]!.endVersion;
  return same ? index : undefined;
}
