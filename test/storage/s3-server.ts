/**
 * A small S3 store over HTTP, in memory, strict where real ones are: it checks each request's signature (version 4) with an implementation of
 * its own, content hashes, conditions and ranges, and lists by pages. Tests make it fail requests before or after they are carried out.
 */
import { createHash, createHmac } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";

export interface S3ServerOptions {
  accessKeyId?: string;
  secretAccessKey?: string;
  sessionToken?: string;
  region?: string;
  /** Which conditions it minds: all, those of PUT, none (it ignores the headers), or it refuses them with 501. */
  conditions?: "all" | "put" | "none" | "refused";
  pageSize?: number;
  ranges?: boolean;
  /** Certificate and key in PEM: it speaks HTTPS. */
  tls?: { cert: string; key: string };
}

/** What happens to a request: its connection is cut before or after it is carried out, its answer is cut short, or a status. */
export type Fault = "before" | "after" | "short" | 500 | 503;

export interface SeenRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: http.IncomingHttpHeaders;
}

const sha = (data: Uint8Array | string): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: Uint8Array | string, data: string): Buffer => createHmac("sha256", key).update(data).digest();
const rfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const xml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export class S3Server {
  /** By "bucket/key". */
  readonly objects = new Map<
    string,
    { bytes: Uint8Array; etag: string; mtimeMs: number; headers: http.IncomingHttpHeaders }
  >();
  readonly buckets = new Set(["bucket"]);
  readonly seen: SeenRequest[] = [];
  /** Asked for each request in turn. */
  fault: (request: SeenRequest, number: number) => Fault | undefined = () => undefined;
  /** Awaited before a request is carried out, and before its answer is sent. */
  pause: (when: "before" | "after", request: SeenRequest) => Promise<void> | void = () => {};
  readonly options: Required<Omit<S3ServerOptions, "sessionToken" | "tls">> &
    Pick<S3ServerOptions, "sessionToken" | "tls">;
  private readonly server: http.Server;

  constructor(options: S3ServerOptions = {}) {
    this.options = {
      accessKeyId: "AKIDEXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
      region: "us-east-1",
      conditions: "all",
      pageSize: 1000,
      ranges: true,
      ...options,
    };
    const listener: http.RequestListener = (request, response) => void this.serve(request, response);
    this.server = options.tls === undefined ? http.createServer(listener) : https.createServer(options.tls, listener);
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get endpoint(): string {
    return `${this.options.tls === undefined ? "http" : "https"}://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The address of a prefix of the bucket with this server's keys. */
  address(prefix = "", more: Record<string, string> = {}): string {
    const { accessKeyId, secretAccessKey, sessionToken, region } = this.options;
    const query = new URLSearchParams({ endpoint: this.endpoint, region, ...more });
    query.set("access-key", accessKeyId);
    query.set("secret-access-key", secretAccessKey);
    if (sessionToken !== undefined) query.set("session-token", sessionToken);
    return `s3://bucket/${prefix}?${query}`;
  }

  put(key: string, bytes: Uint8Array, headers: http.IncomingHttpHeaders = {}): void {
    const etag = `"${createHash("md5").update(bytes).digest("hex")}"`;
    this.objects.set(`bucket/${key}`, { bytes, etag, mtimeMs: Date.now(), headers });
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part as Uint8Array);
    const body = new Uint8Array(Buffer.concat(parts));
    const at = request.url!.indexOf("?");
    const path = at < 0 ? request.url! : request.url!.slice(0, at);
    const query = new URLSearchParams(at < 0 ? "" : request.url!.slice(at + 1));
    const seen: SeenRequest = { method: request.method!, path, query, headers: request.headers };
    const fault = this.fault(seen, this.seen.push(seen) - 1);
    if (fault === "before") return void request.socket.destroy();
    if (typeof fault === "number") {
      return this.answerError(response, fault, fault === 503 ? "SlowDown" : "InternalError");
    }
    await this.pause("before", seen);
    const answer =
      this.refusal(request, path, query, body) ?? this.carryOut(seen, decodeURIComponent(path).slice(1), body);
    await this.pause("after", seen);
    if (fault === "after") return void request.socket.destroy();
    const bytes = answer.body ?? new Uint8Array(0);
    response.writeHead(answer.status, { "content-length": bytes.length, ...answer.headers });
    if (fault === "short" && bytes.length > 0) {
      response.write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy());
      return;
    }
    response.end(bytes);
  }

  private answerError(response: http.ServerResponse, status: number, code: string): void {
    const { body } = failure(status, code);
    response.writeHead(status, { "content-length": body!.length });
    response.end(body);
  }

  /** What is wrong with the signature, the keys or the content's hash. */
  private refusal(
    request: http.IncomingMessage,
    path: string,
    query: URLSearchParams,
    body: Uint8Array,
  ): Answer | undefined {
    const { accessKeyId, secretAccessKey, sessionToken, region } = this.options;
    const authorization = request.headers.authorization;
    if (authorization === undefined) return failure(403, "AccessDenied");
    const match =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
        authorization,
      );
    if (match === null) return failure(400, "AuthorizationHeaderMalformed");
    const [, key, day, scope, names, signature] = match;
    if (scope !== region) return failure(400, "AuthorizationHeaderMalformed", `<Region>${region}</Region>`);
    if (key !== accessKeyId) return failure(403, "InvalidAccessKeyId");
    if (sessionToken !== undefined && request.headers["x-amz-security-token"] !== sessionToken)
      return failure(403, "InvalidToken");
    const time = request.headers["x-amz-date"] as string;
    const sent = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
    if (!(Math.abs(Date.now() - sent) < 900_000)) return failure(403, "RequestTimeTooSkewed");
    const contentHash = request.headers["x-amz-content-sha256"];
    if (contentHash !== sha(body)) return failure(400, "XAmzContentSHA256Mismatch");
    const signed = names!.split(";");
    if (!signed.includes("host") || !signed.includes("x-amz-content-sha256")) return failure(403, "AccessDenied");
    for (const name of Object.keys(request.headers)) {
      if (name.startsWith("x-amz-") && !signed.includes(name)) return failure(403, "AccessDenied");
    }
    const canonical = [
      request.method,
      path
        .split("/")
        .map((part) => rfc3986(decodeURIComponent(part)))
        .join("/"),
      [...query]
        .map(([n, v]) => `${rfc3986(n)}=${rfc3986(v)}`)
        .sort()
        .join("&"),
      ...signed.map((name) => `${name}:${String(request.headers[name]).trim()}`),
      "",
      names,
      contentHash,
    ].join("\n");
    const scopeText = `${day}/${region}/s3/aws4_request`;
    const signingKey = ["s3", "aws4_request"].reduce<Buffer>(hmac, hmac(hmac(`AWS4${secretAccessKey}`, day!), region));
    const expected = hmac(signingKey, ["AWS4-HMAC-SHA256", time, scopeText, sha(canonical)].join("\n")).toString("hex");
    return expected === signature ? undefined : failure(403, "SignatureDoesNotMatch");
  }

  private carryOut({ method, query, headers }: SeenRequest, path: string, body: Uint8Array): Answer {
    const bucket = path.split("/")[0]!;
    if (!this.buckets.has(bucket)) return failure(404, "NoSuchBucket");
    if (query.has("list-type")) return this.list(bucket, query);
    const found = this.objects.get(path);
    const { conditions } = this.options;
    const conditional = headers["if-match"] !== undefined || headers["if-none-match"] !== undefined;
    if (method === "PUT" || method === "DELETE") {
      if (conditional && conditions === "refused") return failure(501, "NotImplemented");
      if (conditions === "all" || (conditions === "put" && method === "PUT")) {
        if (headers["if-none-match"] === "*" && found !== undefined) return failure(412, "PreconditionFailed");
        if (headers["if-match"] !== undefined && found === undefined) return failure(404, "NoSuchKey");
        if (headers["if-match"] !== undefined && headers["if-match"] !== found?.etag)
          return failure(412, "PreconditionFailed");
      }
      if (method === "DELETE") {
        this.objects.delete(path);
        return { status: 204 };
      }
      this.put(path.slice(bucket.length + 1), body, headers);
      return { status: 200, headers: { etag: this.objects.get(path)!.etag } };
    }
    if (method !== "GET") return failure(405, "MethodNotAllowed");
    if (found === undefined) return failure(404, "NoSuchKey");
    if (headers["if-match"] !== undefined && headers["if-match"] !== found.etag)
      return failure(412, "PreconditionFailed");
    return this.content(found, headers.range);
  }

  private content({ bytes, etag }: { bytes: Uint8Array; etag: string }, range: string | undefined): Answer {
    const match = this.options.ranges ? /^bytes=(\d+)-(\d+)$/.exec(range ?? "") : null;
    if (match === null) return { status: 200, headers: { etag }, body: bytes };
    const [from, to] = [Number(match[1]), Math.min(Number(match[2]), bytes.length - 1)];
    if (from >= bytes.length) {
      return { ...failure(416, "InvalidRange"), headers: { "content-range": `bytes */${bytes.length}` } };
    }
    const headers = { etag, "content-range": `bytes ${from}-${to}/${bytes.length}` };
    return { status: 206, headers, body: bytes.subarray(from, to + 1) };
  }

  private list(bucket: string, query: URLSearchParams): Answer {
    const prefix = `${bucket}/${query.get("prefix") ?? ""}`;
    const after = query.get("continuation-token") ?? "";
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, this.options.pageSize);
    const encoded = query.get("encoding-type") === "url";
    const entries = page.map((path) => {
      const { bytes, mtimeMs } = this.objects.get(path)!;
      const key = path.slice(bucket.length + 1);
      const written = encoded ? encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/") : xml(key);
      return `<Contents><Key>${written}</Key><LastModified>${new Date(mtimeMs).toISOString()}</LastModified><Size>${bytes.length}</Size></Contents>`;
    });
    const more = keys.length > page.length;
    const text = `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name>${encoded ? "<EncodingType>url</EncodingType>" : ""}<IsTruncated>${more}</IsTruncated>${entries.join("")}${more ? `<NextContinuationToken>${xml(page.at(-1)!)}</NextContinuationToken>` : ""}</ListBucketResult>`;
    return { status: 200, body: new TextEncoder().encode(text) };
  }
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

function failure(status: number, code: string, more = ""): Answer {
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made by the test: ${code}</Message>${more}</Error>`;
  return { status, body: new TextEncoder().encode(text) };
}
