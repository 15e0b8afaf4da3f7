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
  const size = Math.abs(value);
  let text = size.toExponential(8);
  for (let digits = 0; digits < 8; digits++) {
    const shorter = size.toExponential(digits);
    if (Math.fround(Number(shorter)) !== size) continue;
    text = shorter;
    break;
  }
  return (value < 0 || Object.is(value, -0) ? "-" : "") + plainNumber(text);
}

/** `1.5e-7` -> `0.00000015`: TiDB writes no exponents here. */
function plainNumber(text: string): string {
  const [mantissa, power] = text.split("e") as [string, string];
  const digits = mantissa.replace(".", "").replace(/0+$/, "") || "0";
  const exponent = Number(power);
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, "0");
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}
