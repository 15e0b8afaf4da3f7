/** Expressions of a function: operators by precedence, calls, names. */
import type { ModuleNames } from "./compile.ts";
import {
  AND_BINDING,
  DOUBLE_FUNCTIONS,
  LOADS,
  ONE_FUNCTIONS,
  OPERATORS,
  OR_BINDING,
  PAIR_FUNCTIONS,
  STORES,
} from "./operators.ts";
import type { Tokens } from "./tokens.ts";
import { signed, TYPE_CODES, unsigned, type ValueType } from "./wasm-bytes.ts";

/** A local or global: the code that reads it and the code that writes it. */
interface Place {
  readonly type: ValueType;
  readonly get: readonly number[];
  readonly set: readonly number[];
}

export class ExpressionCompiler {
  readonly code: number[] = [];
  /** Types of the locals behind the parameters. */
  readonly locals: ValueType[] = [];
  protected readonly tokens: Tokens;
  private readonly names = new Map<string, Place>();
  /** Names in the order in which they were declared, each with what it hides. */
  private readonly declared: [name: string, hidden: Place | undefined][] = [];
  private readonly module: ModuleNames;
  private localCount = 0;

  constructor(tokens: Tokens, module: ModuleNames) {
    this.tokens = tokens;
    this.module = module;
  }

  /** Index of a new local of this name; it hides others. */
  protected declare(name: string, type: ValueType): number {
    const index = this.localCount++;
    this.declared.push([name, this.names.get(name)]);
    this.names.set(name, { type, get: [0x20, ...unsigned(index)], set: [0x21, ...unsigned(index)] });
    this.locals.push(type);
    return index;
  }

  /** A mark for `leaveScope`. */
  protected enterScope(): number {
    return this.declared.length;
  }

  /** Forgets the names that were declared since. */
  protected leaveScope(mark: number): void {
    while (this.declared.length > mark) {
      const [name, hidden] = this.declared.pop()!;
      if (hidden === undefined) this.names.delete(name);
      else this.names.set(name, hidden);
    }
  }

  protected place(name: string): Place {
    const local = this.names.get(name);
    if (local !== undefined) return local;
    const global = this.module.globals.get(name) ?? this.tokens.fail(`${name} is not known`);
    const index = unsigned(global.index);
    return { type: global.type, get: [0x23, ...index], set: [0x24, ...index] };
  }

  /** Code that leaves a value on the stack; `wanted` is the type of literals. Answers the value's type. */
  protected expression(wanted: ValueType, least = 0): ValueType {
    const { tokens, code } = this;
    let type = this.operand(wanted);
    for (;;) {
      const sign = tokens.text;
      if (sign === "&&" || sign === "||") {
        const binding = sign === "&&" ? AND_BINDING : OR_BINDING;
        if (binding < least) return type;
        tokens.take();
        this.shortCircuit(sign, binding);
        continue;
      }
      const operator = tokens.kind === "sign" ? OPERATORS.get(sign) : undefined;
      if (operator === undefined || operator.binding < least) return type;
      tokens.take();
      if (this.expression(type, operator.binding + 1) !== type) tokens.fail(`the right side of ${sign} is no ${type}`);
      code.push(operator[type]);
      if (operator.compares) type = "i32";
    }
  }

  /** The left side is on the stack. */
  private shortCircuit(sign: "&&" | "||", binding: number): void {
    const { code } = this;
    code.push(0x04, TYPE_CODES.i32);
    if (sign === "||") code.push(0x41, 0x01, 0x05);
    if (this.expression("i32", binding + 1) !== "i32") this.tokens.fail(`a side of ${sign} is no i32`);
    if (sign === "&&") code.push(0x05, 0x41, 0x00);
    code.push(0x0b);
  }

  private operand(wanted: ValueType): ValueType {
    const { tokens, code } = this;
    if (tokens.takeIf("(")) {
      const type = this.expression(wanted);
      tokens.expect(")");
      return type;
    }
    if (tokens.kind === "number") return this.literal(wanted, 1n);
    if (tokens.takeIf("-")) return this.negative(wanted);
    if (tokens.takeIf("~")) {
      const type = this.operand(wanted);
      code.push(type === "i32" ? 0x41 : 0x42, 0x7f, OPERATORS.get("^")![type]);
      return type;
    }
    if (tokens.takeIf("!")) {
      code.push(this.operand("i32") === "i32" ? 0x45 : 0x50);
      return "i32";
    }
    const name = tokens.word();
    if (tokens.text === "(") return this.call(name, wanted) ?? tokens.fail(`${name} has no value`);
    const { type, get } = this.place(name);
    code.push(...get);
    return type;
  }

  private negative(wanted: ValueType): ValueType {
    const { tokens, code } = this;
    if (tokens.kind === "number") return this.literal(wanted, -1n);
    const at = code.length;
    const type = this.operand(wanted);
    code.splice(at, 0, type === "i32" ? 0x41 : 0x42, 0x00);
    code.push(OPERATORS.get("-")![type]);
    return type;
  }

  private literal(wanted: ValueType, sign: bigint): ValueType {
    const text = this.tokens.take();
    const type = text.endsWith("L") ? "i64" : wanted;
    const value = sign * BigInt(text.replace("L", ""));
    this.code.push(...constant(type, value));
    return type;
  }

  /** A call of a function whose name was taken; answers the type of its value. */
  protected call(name: string, wanted: ValueType | undefined): ValueType | undefined {
    const { tokens, code, module } = this;
    tokens.expect("(");
    const pair = PAIR_FUNCTIONS.get(name);
    const one = ONE_FUNCTIONS.get(name);
    const load = LOADS.get(name);
    const store = STORES.get(name);
    let type: ValueType | undefined;
    if (pair !== undefined) {
      const both = this.expression(wanted ?? "i32");
      tokens.expect(",");
      this.argument(both);
      code.push(pair[both]);
      type = pair.compares ? "i32" : both;
    } else if (one !== undefined) {
      type = this.expression(wanted ?? "i32");
      code.push(one[type]);
    } else if (load !== undefined) {
      this.argument("i32");
      code.push(load.opcode, 0, ...this.offset());
      type = load.type;
    } else if (store !== undefined) {
      this.argument("i32");
      tokens.expect(",");
      this.argument(store.type);
      code.push(store.opcode, 0, ...this.offset());
    } else if (name === "i32") {
      if (this.expression("i32") === "i64") code.push(0xa7);
      type = "i32";
    } else if (name === "i64" || name === "i64s") {
      if (this.expression("i32") === "i32") code.push(name === "i64" ? 0xad : 0xac);
      type = "i64";
    } else if (name === "double") {
      // f64.convert_i64_u, then the bits.
      this.argument("i64");
      code.push(0xba, 0xbd);
      type = "i64";
    } else if (DOUBLE_FUNCTIONS.has(name)) type = this.doubleCall(name);
    else if (name === "select") {
      type = this.expression(wanted ?? "i32");
      tokens.expect(",");
      this.argument(type);
      tokens.expect(",");
      this.argument("i32");
      code.push(0x1b);
    } else if (name === "copy") {
      this.argumentList(["i32", "i32", "i32"]);
      code.push(0xfc, 0x0a, 0x00, 0x00);
    } else {
      const own = module.functions.get(name) ?? tokens.fail(`${name} is no function`);
      this.argumentList(own.params);
      code.push(0x10, ...unsigned(own.index));
      type = own.result;
    }
    tokens.expect(")");
    return type;
  }

  private doubleCall(name: string): ValueType {
    const { two, code } = DOUBLE_FUNCTIONS.get(name)!;
    const toDouble = 0xbf;
    this.argument("i64");
    this.code.push(toDouble);
    if (two) {
      this.tokens.expect(",");
      this.argument("i64");
      this.code.push(toDouble);
    }
    this.code.push(...code, 0xbd);
    return "i64";
  }

  private argument(type: ValueType): void {
    if (this.expression(type) !== type) this.tokens.fail(`the argument is no ${type}`);
  }

  private argumentList(types: readonly ValueType[]): void {
    types.forEach((type, i) => {
      if (i > 0) this.tokens.expect(",");
      this.argument(type);
    });
  }

  /** The constant offset of a load or store. */
  private offset(): number[] {
    return this.tokens.takeIf(",") ? unsigned(Number(this.tokens.take())) : [0];
  }
}

function constant(type: ValueType, value: bigint): number[] {
  return type === "i32" ? [0x41, ...signed(BigInt.asIntN(32, value))] : [0x42, ...signed(BigInt.asIntN(64, value))];
}
