/** Strings between character sets and bytes inside functions (TiDB `pkg/expression/builtin_convert_charset.go`). */
import { toHex } from "../../base/mod.ts";
import { type FieldTypeInfo, Tp } from "../../schema/mod.ts";
import { CastError, encodeGbk, fitBinary } from "../cast/mod.ts";
import type { Derived } from "./collation.ts";
import { callNode } from "./const.ts";
import type { ExprContext } from "./context.ts";
import { as, lift1, type NodeOf } from "./node.ts";

/** Functions that look at the bytes of a string in its own character set. */
const OF_BYTES = new Set(
  "ascii bit_length hex length octet_length to_base64 aes_encrypt decode encode password md5 sha sha1 sha2 sm3 compress ord crc32".split(
    " ",
  ),
);

/** Functions whose strings are all of one character set. */
const OF_ONE_CHARSET = new Set(
  `concat concat_ws export_set field find_in_set insert_func instr lpad locate make_set position replace rpad strcmp
   substring_index trim elt ge le gt lt eq ne nulleq if ifnull like ilike in coalesce greatest least
   regexp regexp_like regexp_substr regexp_instr regexp_replace json_valid case`.split(/\s+/),
);

const isLegacy = (charset: string): boolean => charset === "gbk" || charset === "gb18030";

/** The argument as the function takes it. */
export function binaryAware(
  ctx: ExprContext,
  name: string,
  node: NodeOf<"string">,
  collation: Derived,
): NodeOf<"string"> {
  const { Charset } = node.type;
  if (OF_BYTES.has(name)) return isLegacy(Charset) ? toBinary(ctx, node) : node;
  if (!OF_ONE_CHARSET.has(name)) return node;
  if (Charset !== "binary" && collation.charset === "binary") return isLegacy(Charset) ? toBinary(ctx, node) : node;
  if (Charset === "binary" && collation.charset !== "binary" && node.type.Tp !== Tp.null) {
    const type = { ...node.type, Charset: collation.charset, Collate: collation.collate };
    return fromBinary(ctx, node, type, false);
  }
  return node;
}

/** The bytes of the string in its own character set. */
export function toBinary(ctx: ExprContext, node: NodeOf<"string">): NodeOf<"string"> {
  const type: FieldTypeInfo = { ...node.type, Tp: Tp.varstring, Charset: "binary", Collate: "binary" };
  const { coercibility, repertoire } = node;
  const made = callNode(ctx, {
    name: "to_binary",
    kind: "string",
    type,
    args: [node],
    eval: isLegacy(node.type.Charset) ? lift1(node.eval, encodeGbk) : node.eval,
    coercibility,
    repertoire,
  });
  return as(made, "string");
}

/** Bytes taken for a text; what is none is an error, or NULL with a warning in a CAST. */
export function fromBinary(
  ctx: ExprContext,
  node: NodeOf<"string">,
  type: FieldTypeInfo,
  inCast: boolean,
): NodeOf<"string"> {
  const { coercibility, repertoire } = node;
  const decode = (bytes: Uint8Array): Uint8Array | null => {
    const { text, invalid } = fitBinary(bytes, type.Charset);
    if (invalid === null) return text;
    const shown = toHex(invalid).toUpperCase().replace(/../g, "\\x$&");
    const message = `Cannot convert string '${shown}' from binary to ${type.Charset}`;
    if (!inCast) throw new CastError(3854, message);
    ctx.warn(3854, message);
    return null;
  };
  const made = callNode(ctx, {
    name: "from_binary",
    kind: "string",
    type,
    args: [node],
    eval: lift1(node.eval, decode),
    coercibility,
    repertoire,
  });
  return as(made, "string");
}
