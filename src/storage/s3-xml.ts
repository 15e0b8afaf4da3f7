/** The few XML documents of S3 that matter here: listings and errors. Flat elements with text; nothing else is understood. */

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]+|#\d+|amp|lt|gt|quot|apos);/g, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name]!;
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Text of the first element of a name; undefined when there is none. */
function element(xml: string, name: string): string | undefined {
  const start = xml.indexOf(`<${name}>`);
  if (start < 0) return undefined;
  const from = start + name.length + 2;
  const end = xml.indexOf(`</${name}>`, from);
  return end < 0 ? undefined : unescaped(xml.slice(from, end));
}

export interface S3Error {
  code: string;
  message: string;
  region: string | undefined;
}

export function parseError(xml: string): S3Error | undefined {
  const code = element(xml, "Code");
  return code === undefined
    ? undefined
    : { code, message: element(xml, "Message") ?? code, region: element(xml, "Region") };
}

export interface ListPage {
  objects: { key: string; sizeBytes: number; mtimeMs: number }[];
  /** Of the next page; undefined on the last one. */
  token: string | undefined;
}

/** A page of ListObjectsV2; undefined when it is none. */
export function parseListPage(xml: string): ListPage | undefined {
  if (!/<ListBucketResult[\s>]/.test(xml)) return undefined;
  const encoded = element(xml, "EncodingType") === "url";
  const objects: ListPage["objects"] = [];
  for (let at = xml.indexOf("<Contents>"); at >= 0; ) {
    const end = xml.indexOf("</Contents>", at);
    if (end < 0) return undefined;
    const entry = xml.slice(at, end);
    const written = element(entry, "Key");
    const size = Number(element(entry, "Size"));
    if (written === undefined || !Number.isSafeInteger(size)) return undefined;
    const key = encoded ? urlDecoded(written) : written;
    if (key === undefined) return undefined;
    objects.push({ key, sizeBytes: size, mtimeMs: Date.parse(element(entry, "LastModified") ?? "") || 0 });
    at = xml.indexOf("<Contents>", end);
  }
  const truncated = element(xml, "IsTruncated") === "true";
  const token = element(xml, "NextContinuationToken");
  if (truncated && !token) return undefined;
  return { objects, token: truncated ? token : undefined };
}

function urlDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
