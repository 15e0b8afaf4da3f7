/** Expressions as the metadata of a table have them: as text. */
import { type Expr, parseExpr, type SqlMode } from "../../schema/mod.ts";
import { CastError } from "../cast/mod.ts";
import { compile } from "./compile.ts";
import type { ExprContext } from "./context.ts";
import type { Node } from "./node.ts";

/** Parses and compiles a text of the table's metadata; what TiDB itself would refuse is refused too. */
export function compileText(ctx: ExprContext, text: string, mode: SqlMode, what: string): Node {
  ctx.what = what;
  const expr: Expr = parseExpr(text, mode);
  try {
    return compile(ctx, expr);
  } catch (thrown) {
    if (!(thrown instanceof CastError)) throw thrown;
    throw ctx.refusal(`which TiDB does not compute: ${thrown.message} (MySQL error ${thrown.code})`);
  }
}
