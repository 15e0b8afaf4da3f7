/** The hash SM3 (GB/T 32905-2016), which node:crypto has not on every runtime. */

const START = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];

const rotate = (x: number, n: number): number => (n % 32 === 0 ? x : (x << (n % 32)) | (x >>> (32 - (n % 32))));
const p0 = (x: number): number => x ^ rotate(x, 9) ^ rotate(x, 17);
const p1 = (x: number): number => x ^ rotate(x, 15) ^ rotate(x, 23);

/** The message with its length, in blocks of 64 bytes. */
function padded(message: Uint8Array): DataView {
  const size = (Math.floor((message.length + 8) / 64) + 1) * 64;
  const out = new Uint8Array(size);
  out.set(message);
  out[message.length] = 0x80;
  const view = new DataView(out.buffer);
  view.setBigUint64(size - 8, BigInt(message.length) * 8n);
  return view;
}

function expand(view: DataView, at: number): Int32Array {
  const w = new Int32Array(68);
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 68; i++) {
    w[i] = p1(w[i - 16]! ^ w[i - 9]! ^ rotate(w[i - 3]!, 15)) ^ rotate(w[i - 13]!, 7) ^ w[i - 6]!;
  }
  return w;
}

function mix(state: Int32Array, w: Int32Array): void {
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const constant = i < 16 ? 0x79cc4519 : 0x7a879d8a;
    const ss1 = rotate((rotate(a, 12) + e + rotate(constant, i)) | 0, 7);
    const ff = i < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = i < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + (ss1 ^ rotate(a, 12)) + (w[i]! ^ w[i + 4]!)) | 0;
    const tt2 = (gg + h + ss1 + w[i]!) | 0;
    [d, c, b, a] = [c, rotate(b, 9), a, tt1];
    [h, g, f, e] = [g, rotate(f, 19), e, p0(tt2)];
  }
  [a, b, c, d, e, f, g, h].forEach((x, i) => {
    state[i] = state[i]! ^ x;
  });
}

export function sm3(message: Uint8Array): Uint8Array {
  const view = padded(message);
  const state = Int32Array.from(START);
  for (let at = 0; at < view.byteLength; at += 64) mix(state, expand(view, at));
  const out = new Uint8Array(32);
  const result = new DataView(out.buffer);
  state.forEach((x, i) => void result.setInt32(4 * i, x));
  return out;
}
