import { utf8 } from "../base/mod.ts";
import { MORE, SqlLexer } from "./sql-lexer.ts";
import { newSqlSession } from "./sql-session.ts";
import { readToken, type SqlToken } from "./sql-statement.ts";

/** All tokens of a statement's text. Positions are bytes of its UTF-8 form. */
function tokensOf(text: string, sqlMode: string | undefined): { tokens: SqlToken[]; bytes: Uint8Array } {
  const lexer = new SqlLexer();
  const bytes = utf8(text);
  lexer.bytes = bytes;
  lexer.end = bytes.length;
  lexer.final = true;
  const session = newSqlSession(sqlMode);
  const tokens: SqlToken[] = [];
  for (let at = lexer.blank(0); at < lexer.end && at !== MORE; ) {
    const token = readToken(lexer, session, at);
    if (token === MORE) break;
    tokens.push(token);
    at = lexer.blank(token.to);
  }
  return { tokens, bytes };
}

/** Every name that stands in a statement, qualified by its database where it is: to find what a view depends on. */
export function namesIn(text: string, sqlMode: string | undefined): { database: string | undefined; name: string }[] {
  const { tokens } = tokensOf(text, sqlMode);
  const names: { database: string | undefined; name: string }[] = [];
  for (let k = 0; k < tokens.length; k++) {
    const token = tokens[k]!;
    if (token.kind !== "name" && token.kind !== "word") continue;
    const qualified = tokens[k - 1]?.text === "." && tokens[k - 1]?.kind === "symbol";
    names.push({ database: qualified ? tokens[k - 2]?.text : undefined, name: token.text });
  }
  return names;
}

/**
 * The statement with another name for what it makes or changes, and for CREATE with IF NOT EXISTS (tables, databases, sequences)
 * or OR REPLACE (views). The rest of the text stays as it is; statements of other kinds stay whole.
 */
export function retarget(
  statement: { readonly text: string; readonly sqlMode: string | undefined },
  target: { readonly database: string; readonly name: string },
): string {
  const { tokens, bytes } = tokensOf(statement.text, statement.sqlMode);
  const creates = isWord(tokens[0], "create");
  if (!creates && !isWord(tokens[0], "alter")) return statement.text;
  const at = tokens.findIndex((token) => token.kind === "word" && MADE.test(token.text));
  if (at < 0) return statement.text;
  const what = tokens[at]!.text.toLowerCase();
  let name = at + 1;
  if (what === "index") name = 1 + tokens.findIndex((token, k) => k > at && isWord(token, "on"));
  else if (isWord(tokens[name], "if")) name += isWord(tokens[name + 1], "not") ? 3 : 2;
  const qualified = tokens[name + 1]?.text === "." && tokens[name + 1]?.kind === "symbol";
  const last = qualified ? name + 2 : name;
  const decode = (from: number, to?: number): string => new TextDecoder().decode(bytes.subarray(from, to));
  const quote = (text: string): string => `\`${text.replaceAll("`", "``")}\``;
  const isDatabase = what === "database" || what === "schema";
  const full = isDatabase ? quote(target.database) : `${quote(target.database)}.${quote(target.name)}`;
  const rest = decode(tokens[last]!.to);
  if (what === "index" || !creates) return `${decode(0, tokens[name - 1]!.to)} ${full}${rest}`;
  const condition = what === "view" ? "" : "IF NOT EXISTS ";
  const begin = what === "view" && !isWord(tokens[1], "or") ? "CREATE OR REPLACE" : decode(0, tokens[0]!.to);
  return `${begin}${decode(tokens[0]!.to, tokens[at]!.to)} ${condition}${full}${rest}`;
}

const MADE = /^(?:database|schema|table|view|sequence|index)$/i;

function isWord(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === "word" && token.text.toLowerCase() === text;
}
