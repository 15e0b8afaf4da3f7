import assert from "node:assert/strict";
import { test } from "node:test";
import { countRunes, crc64, isValidUtf8 } from "../../src/codec/mod.ts";
import { COMMON_PART, CRC_PART } from "../../src/encoder/bulk/kernel-parts.ts";
import { CRC_TABLES } from "../../src/encoder/bulk/memory.ts";
import { startKernel } from "../../src/kernel/mod.ts";

const TEXT = 0;
const COPY = 64;
const CLASSES = 256;

test("a kernel takes the UTF-8 that the codec takes, and counts its characters", () => {
  const source = `${COMMON_PART}
    export fn take(longest: i32): i32 { return utf8Text(${TEXT}, ${COPY}, ${CLASSES}, longest); }
    export fn beyond(): i32 { return i32(number); }`;
  const { bytes, functions } = startKernel(source, 1)!;
  const quote = 0x22;
  bytes[CLASSES + quote] = 1;
  const samples = [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf];
  samples.push(0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff);
  let valid = 0;
  for (let k = 0; k < samples.length ** 4; k++) {
    const text = [0, 1, 2, 3].map((i) => samples[Math.floor(k / samples.length ** i) % samples.length]!);
    bytes.set(text, TEXT);
    bytes[TEXT + 4] = quote;
    const isText = isValidUtf8(bytes, TEXT, TEXT + 4);
    const taken = functions["take"]!(4);
    if ((taken === TEXT + 4) !== isText || (!isText && taken !== 0)) assert.fail(`${text} is taken up to ${taken}`);
    const hasFour = text.some((byte) => byte >= 0xf0);
    if (isText) {
      valid++;
      assert.equal(functions["beyond"]!(), 4 - countRunes(bytes, TEXT, TEXT + 4));
      assert.deepEqual([...bytes.subarray(COPY, COPY + 4)], text);
      assert.equal(functions["take"]!(3), hasFour ? 0 : TEXT + 4);
    }
  }
  assert.ok(valid > 200, `${valid} texts were valid`);
});

test("a kernel's CRC-64 is the codec's", () => {
  const source = `global crcTotal: i64; global crcPairs: i32; global crcSize: i32; ${CRC_PART}
    export fn crc(from: i32, end: i32) { store64(8, ~crcBytes(-1L, from, end)); }`;
  const { bytes, functions } = startKernel(source, 1)!;
  functions["crcInit"]!();
  const from = CRC_TABLES + 8 * 256 * 8;
  for (let i = 0; i < 300; i++) bytes[from + i] = (i * i * 7 + 13 * i) & 255;
  for (const [start, end] of [0, 1, 7, 8, 9, 100, 299].map((size, i) => [from + i, from + i + size] as const)) {
    functions["crc"]!(start, end);
    assert.equal(new DataView(bytes.buffer).getBigUint64(8, true), crc64(bytes, start, end));
  }
});
