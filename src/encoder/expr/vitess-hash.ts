/**
 * The hash of VITESS_HASH and TIDB_SHARD: DES of eight bytes under a key of zeros (TiDB `pkg/util/vitess`). All keys of the rounds are
 * zero then, so nothing is left of the key schedule. Tables are those of FIPS 46-3.
 */
const INITIAL = table(
  "58 50 42 34 26 18 10 2 60 52 44 36 28 20 12 4 62 54 46 38 30 22 14 6 64 56 48 40 32 24 16 8 57 49 41 33 25 17 9 1 59 51 43 35 27 19 11 3 61 53 45 37 29 21 13 5 63 55 47 39 31 23 15 7",
);
const FINAL = table(
  "40 8 48 16 56 24 64 32 39 7 47 15 55 23 63 31 38 6 46 14 54 22 62 30 37 5 45 13 53 21 61 29 36 4 44 12 52 20 60 28 35 3 43 11 51 19 59 27 34 2 42 10 50 18 58 26 33 1 41 9 49 17 57 25",
);
const MIX = table("16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25");

/** Eight boxes of four rows of sixteen values, a hex digit each. */
const BOXES = [
  "e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d",
  "f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9",
  "a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c",
  "7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e",
  "2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453",
  "c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d",
  "4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c",
  "d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b",
].map((rows) => rows.split(" ").map((row) => [...row].map((digit) => Number.parseInt(digit, 16))));

function table(text: string): number[] {
  return text.split(" ").map((n) => Number(n) - 1);
}

function permute(bits: Uint8Array, order: readonly number[]): Uint8Array {
  return Uint8Array.from(order, (at) => bits[at]!);
}

/** One round's function of 32 bits: expanded to eight groups of six, through the boxes, and mixed. */
function substitute(half: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  for (let box = 0; box < 8; box++) {
    const at = (i: number): number => half[(box * 4 + i + 32) % 32]!;
    const row = at(-1) * 2 + at(4);
    const column = at(0) * 8 + at(1) * 4 + at(2) * 2 + at(3);
    const value = BOXES[box]![row]![column]!;
    for (let i = 0; i < 4; i++) out[box * 4 + i] = (value >> (3 - i)) & 1;
  }
  return permute(out, MIX);
}

/** The 64-bit hash of a 64-bit number. */
export function vitessHash(value: bigint): bigint {
  const bits = new Uint8Array(64);
  for (let i = 0; i < 64; i++) bits[i] = Number((value >> BigInt(63 - i)) & 1n);
  const start = permute(bits, INITIAL);
  let left = start.subarray(0, 32);
  let right = start.subarray(32);
  for (let round = 0; round < 16; round++) {
    const mixed = substitute(right);
    for (let i = 0; i < 32; i++) mixed[i]! ^= left[i]!;
    left = right;
    right = mixed;
  }
  const joined = new Uint8Array(64);
  joined.set(right);
  joined.set(left, 32);
  let hash = 0n;
  for (const bit of permute(joined, FINAL)) hash = hash * 2n + BigInt(bit);
  return hash;
}
