/** The binary format of WebAssembly modules, as much of it as kernels need (WebAssembly Core Specification 2.0, chapter 5). */

export type ValueType = "i32" | "i64";

export const TYPE_CODES: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e };

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  if (value < 0x80) return [value];
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return out;
}

/** Signed LEB128. */
export function signed(value: bigint): number[] {
  if (value >= -64n && value < 64n) return [Number(value) & 0x7f];
  const out: number[] = [];
  let rest = value;
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && byte < 0x40) || (rest === -1n && byte >= 0x40)) {
      out.push(byte);
      return out;
    }
    out.push(byte | 0x80);
  }
}

export function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
}

export function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly result: ValueType | undefined;
}

export interface WasmFunction extends FunctionType {
  readonly name: string;
  readonly exported: boolean;
  /** Of the locals behind the parameters. */
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
}

/** A module with one imported memory (`env.memory`), mutable globals that begin as zero, and functions. */
export function wasmModule(
  functions: readonly WasmFunction[],
  globals: readonly ValueType[],
  pages: number,
): Uint8Array {
  const types = functions.map(({ params, result }) => [
    0x60,
    ...list(params.map((type) => [TYPE_CODES[type]])),
    ...list(result === undefined ? [] : [[TYPE_CODES[result]]]),
  ]);
  const memory = [...text("env"), ...text("memory"), 0x02, 0x01, ...unsigned(pages), ...unsigned(pages)];
  const zero = (type: ValueType): number[] => [TYPE_CODES[type], 0x01, type === "i32" ? 0x41 : 0x42, 0x00, 0x0b];
  const exports = functions.flatMap(({ name, exported }, i) =>
    exported ? [[...text(name), 0x00, ...unsigned(i)]] : [],
  );
  const bodies = functions.map(({ locals, code }) => {
    const body = [...list(locals.map((type) => [0x01, TYPE_CODES[type]])), ...code, 0x0b];
    return [...unsigned(body.length), ...body];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list(types)),
    ...section(2, list([memory])),
    ...section(3, list(functions.map((_, i) => unsigned(i)))),
    ...section(6, list(globals.map(zero))),
    ...section(7, list(exports)),
    ...section(10, list(bodies)),
  ]);
}
