/** Statements of one function; `expression-compiler.ts` has what is between them. */
import type { ModuleNames } from "./compile.ts";
import { ExpressionCompiler } from "./expression-compiler.ts";
import { OPERATORS } from "./operators.ts";
import type { Tokens } from "./tokens.ts";
import { type FunctionType, unsigned, type ValueType } from "./wasm-bytes.ts";

const EMPTY_BLOCK = 0x40;

export class FunctionCompiler extends ExpressionCompiler {
  private readonly head: FunctionType;
  /** Blocks that are open, and for each loop how many there were outside of it. */
  private depth = 0;
  private readonly loops: number[] = [];

  constructor(tokens: Tokens, module: ModuleNames, head: FunctionType, names: string[]) {
    super(tokens, module);
    this.head = head;
    names.forEach((name, i) => {
      this.declare(name, head.params[i]!);
    });
    this.locals.length = 0;
  }

  body(): void {
    this.block();
    // Behind the last statement nothing is on the stack; where a result is due, control does not come here.
    if (this.head.result !== undefined) this.code.push(0x00);
  }

  private block(): void {
    const { tokens } = this;
    const scope = this.enterScope();
    tokens.expect("{");
    while (!tokens.takeIf("}")) this.statement();
    this.leaveScope(scope);
  }

  private statement(): void {
    const { tokens } = this;
    if (tokens.text === "{") this.block();
    else if (tokens.takeIf("while")) this.whileLoop();
    else if (tokens.takeIf("if")) this.condition();
    else {
      this.simple();
      tokens.expect(";");
    }
  }

  private simple(): void {
    const { tokens, code } = this;
    if (tokens.takeIf("let")) this.declaration();
    else if (tokens.takeIf("return")) {
      if (this.head.result !== undefined) this.expression(this.head.result);
      code.push(0x0f);
    } else if (tokens.takeIf("break")) code.push(0x0c, ...unsigned(this.depth - this.innerLoop() - 1));
    else if (tokens.takeIf("continue")) code.push(0x0c, ...unsigned(this.depth - this.innerLoop() - 2));
    else if (tokens.followedBy("(")) {
      if (this.call(tokens.word(), undefined) !== undefined) code.push(0x1a);
    } else this.assignment();
  }

  private innerLoop(): number {
    return this.loops.at(-1) ?? this.tokens.fail("there is no loop");
  }

  private declaration(): void {
    const { tokens } = this;
    const name = tokens.word();
    let wanted: ValueType | undefined;
    if (tokens.takeIf(":")) {
      const text = tokens.word();
      wanted = text === "i64" ? "i64" : text === "i32" ? "i32" : tokens.fail("expected a type");
    }
    tokens.expect("=");
    const type = this.expression(wanted ?? "i32");
    if (wanted !== undefined && type !== wanted) tokens.fail(`${name} is ${wanted}, its value ${type}`);
    this.code.push(0x21, ...unsigned(this.declare(name, type)));
  }

  private assignment(): void {
    const { tokens, code } = this;
    const place = this.place(tokens.word());
    const sign = tokens.take();
    const operator = OPERATORS.get(sign.slice(0, -1));
    if (operator !== undefined) code.push(...place.get);
    else if (sign !== "=") tokens.fail("expected an assignment");
    if (this.expression(place.type) !== place.type) tokens.fail(`the value is no ${place.type}`);
    if (operator !== undefined) code.push(operator[place.type]);
    code.push(...place.set);
  }

  private whileLoop(): void {
    const { code } = this;
    this.loops.push(this.depth);
    code.push(0x02, EMPTY_BLOCK, 0x03, EMPTY_BLOCK);
    this.depth += 2;
    this.test();
    code.push(0x45, 0x0d, 0x01);
    this.block();
    code.push(0x0c, 0x00, 0x0b, 0x0b);
    this.depth -= 2;
    this.loops.pop();
  }

  private condition(): void {
    const { tokens, code } = this;
    this.test();
    code.push(0x04, EMPTY_BLOCK);
    this.depth++;
    this.block();
    if (tokens.takeIf("else")) {
      code.push(0x05);
      if (tokens.takeIf("if")) this.condition();
      else this.block();
    }
    code.push(0x0b);
    this.depth--;
  }

  private test(): void {
    this.tokens.expect("(");
    if (this.expression("i32") !== "i32") this.tokens.fail("a condition is an i32");
    this.tokens.expect(")");
  }
}
