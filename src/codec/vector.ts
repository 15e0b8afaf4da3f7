/** VECTOR values: little-endian count, then 32-bit floats (`pkg/types/vector.go`). */
import { ByteReader, corrupt } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

const ONE = new Float32Array(1);
const BITS = new Uint32Array(ONE.buffer);

export function encodeVector(values: ArrayLike<number>): Uint8Array {
  const out = new ByteWriter(4 + 4 * values.length);
  out.u32le(values.length);
  for (let i = 0; i < values.length; i++) {
    ONE[0] = values[i]!;
    out.u32le(BITS[0]!);
  }
  return out.toBytes();
}

export function decodeVector(bytes: Uint8Array): Float32Array {
  const input = new ByteReader(bytes);
  const count = input.u32le();
  if (input.left !== 4 * count) throw corrupt(`a vector of ${count} numbers in ${bytes.length} bytes`);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    BITS[0] = input.u32le();
    out[i] = ONE[0]!;
  }
  return out;
}

/** `[1,0.5,-2]`, each number with the fewest digits that read back as the same 32-bit float. */
export function vectorText(bytes: Uint8Array): string {
  return `[${Array.from(decodeVector(bytes), shortFloat32).join(",")}]`;
}

function shortFloat32(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return plainNumber(Number(text), value);
  }
  return plainNumber(Number(value.toPrecision(9)), value);
}

function plainNumber(short: number, value: number): string {
  return Object.is(value, -0) ? "-0" : String(short);
}
