import { compileKernel } from "./compile.ts";

/** A kernel that is ready to run: its memory, which never grows, and its exported functions. */
export interface Kernel {
  readonly bytes: Uint8Array;
  readonly functions: Readonly<Record<string, (...args: number[]) => number>>;
}

/** Undefined where the runtime has no WebAssembly, or no memory for it; `pages` are of 64 KiB. */
export function startKernel(source: string, pages: number): Kernel | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  const module = new WebAssembly.Module(compileKernel(source, pages) as Uint8Array<ArrayBuffer>);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { bytes: new Uint8Array(memory.buffer), functions: exports as Kernel["functions"] };
}
