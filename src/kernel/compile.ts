/** Kernel source → a WebAssembly module, in one pass over the tokens behind one that collects the signatures. */
import { FunctionCompiler } from "./function-compiler.ts";
import { Tokens } from "./tokens.ts";
import { type FunctionType, type ValueType, type WasmFunction, wasmModule } from "./wasm-bytes.ts";

/** What functions know of their module. */
export interface ModuleNames {
  readonly functions: Map<string, FunctionType & { readonly index: number }>;
  readonly globals: Map<string, { readonly index: number; readonly type: ValueType }>;
}

interface Head extends FunctionType {
  readonly name: string;
  readonly names: string[];
  readonly exported: boolean;
}

function valueType(tokens: Tokens): ValueType {
  const type = tokens.word();
  return type === "i32" || type === "i64" ? type : tokens.fail("expected a type");
}

function functionHead(tokens: Tokens): Head {
  const exported = tokens.takeIf("export");
  tokens.expect("fn");
  const name = tokens.word();
  const names: string[] = [];
  const params: ValueType[] = [];
  tokens.expect("(");
  while (!tokens.takeIf(")")) {
    if (names.length > 0) tokens.expect(",");
    names.push(tokens.word());
    tokens.expect(":");
    params.push(valueType(tokens));
  }
  const result = tokens.takeIf(":") ? valueType(tokens) : undefined;
  return { name, names, params, result, exported };
}

function skipBlock(tokens: Tokens): void {
  tokens.expect("{");
  for (let depth = 1; depth > 0; ) {
    if (tokens.kind === "end") tokens.fail("a block has no end");
    const taken = tokens.take();
    if (taken === "{") depth++;
    else if (taken === "}") depth--;
  }
}

/** Calls `onFunction` before each function's block, which it takes. */
function walk(
  tokens: Tokens,
  onGlobal: (name: string, type: ValueType) => void,
  onFunction: (head: Head) => void,
): void {
  while (tokens.kind !== "end") {
    if (tokens.takeIf("global")) {
      const name = tokens.word();
      tokens.expect(":");
      onGlobal(name, valueType(tokens));
      tokens.expect(";");
    } else onFunction(functionHead(tokens));
  }
}

/** Bytes of the module; `pages` of 64 KiB is the size of the memory that it is given, `env.memory`. */
export function compileKernel(source: string, pages: number): Uint8Array {
  const tokens = new Tokens(source);
  const module: ModuleNames = { functions: new Map(), globals: new Map() };
  walk(
    tokens,
    (name, type) => module.globals.set(name, { index: module.globals.size, type }),
    ({ name, params, result }) => {
      if (module.functions.has(name)) tokens.fail(`${name} is there twice`);
      module.functions.set(name, { index: module.functions.size, params, result });
      skipBlock(tokens);
    },
  );
  tokens.rewind();
  const functions: WasmFunction[] = [];
  walk(
    tokens,
    () => undefined,
    ({ names, ...head }) => {
      const compiler = new FunctionCompiler(tokens, module, head, names);
      compiler.body();
      functions.push({ ...head, locals: compiler.locals, code: compiler.code });
    },
  );
  const globals = [...module.globals.values()].map(({ type }) => type);
  return wasmModule(functions, globals, pages);
}
