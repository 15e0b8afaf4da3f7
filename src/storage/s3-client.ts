import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import { type Clock, LevinError, type Random, textOf } from "../base/mod.ts";
import { exchange, type HttpAnswer } from "./http.ts";
import type { S3Options } from "./s3-options.ts";
import { parseError, type S3Error } from "./s3-xml.ts";

export interface S3Request {
  method: "GET" | "PUT" | "DELETE";
  /** Object key; "" for the bucket itself. */
  key: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** Statuses beside 2xx that are answers and no errors. */
  accept?: readonly number[];
  signal?: AbortSignal | undefined;
}

interface S3ClientOptions {
  clock: Clock;
  random: Random;
  ca?: string | undefined;
  attempts?: number;
  idleMs?: number;
  firstWaitMs?: number;
}

const ATTEMPTS = 8;
const IDLE_MS = 30_000;
const FIRST_WAIT_MS = 100;
const WAIT_MAX_MS = 5_000;

const EMPTY_HASH = createHash("sha256").digest("hex");
const RETRIED_STATUS = new Set([408, 429, 500, 502, 503, 504]);
const RETRIED_CODES = new Set([
  "RequestTimeout",
  "SlowDown",
  "InternalError",
  "ServiceUnavailable",
  "Throttling",
  "ConditionalRequestConflict",
  "OperationAborted",
]);

function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Signed requests to one bucket, tried again where that may help. Errors: Levin:Storage:ErrFailed, ErrDenied. */
export class S3Client {
  readonly options: S3Options;
  private readonly settings: Required<Omit<S3ClientOptions, "ca">> & Pick<S3ClientOptions, "ca">;
  private readonly base: string;
  private readonly signingKeys = new Map<string, ArrayBuffer>();

  constructor(options: S3Options, settings: S3ClientOptions) {
    this.options = options;
    this.settings = { attempts: ATTEMPTS, idleMs: IDLE_MS, firstWaitMs: FIRST_WAIT_MS, ...settings };
    const endpoint = new URL(options.endpoint ?? `https://s3.${options.region}.amazonaws.com`);
    const path = endpoint.pathname.replace(/\/+$/, "");
    this.base = options.pathStyle
      ? `${endpoint.origin}${path}/${options.bucket}`
      : `${endpoint.protocol}//${options.bucket}.${endpoint.host}${path}`;
  }

  /** For messages. */
  nameOf(key: string): string {
    return `s3://${this.options.bucket}/${key}`;
  }

  async send(request: S3Request): Promise<HttpAnswer> {
    const { attempts, clock, firstWaitMs, random } = this.settings;
    for (let attempt = 1; ; attempt++) {
      request.signal?.throwIfAborted();
      let failure: LevinError;
      try {
        const answer = await this.once(request);
        const fine = answer.status >= 200 && answer.status < 300;
        const error = fine ? undefined : parseError(textOf(answer.body.subarray(0, 64 << 10)));
        if (fine || (request.accept?.includes(answer.status) && !RETRIED_CODES.has(error?.code ?? ""))) {
          return answer;
        }
        failure = this.refusal(request, answer, error);
        if (!RETRIED_STATUS.has(answer.status) && !RETRIED_CODES.has(error?.code ?? "")) throw failure;
      } catch (thrown) {
        if (thrown instanceof LevinError) throw thrown;
        request.signal?.throwIfAborted();
        failure = this.failed(request, thrown instanceof Error ? thrown.message : String(thrown), thrown);
      }
      if (attempt >= attempts) throw failure;
      const wait = Math.min(firstWaitMs * 2 ** (attempt - 1), WAIT_MAX_MS);
      await clock.sleep(wait * (0.5 + random.next() / 2), request.signal);
    }
  }

  private async once({ method, key, query, headers, body, signal }: S3Request): Promise<HttpAnswer> {
    const url = new URL(key === "" ? `${this.base}/` : `${this.base}/${encodeKey(key)}`);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const { idleMs, ca } = this.settings;
    const unsigned = {
      ...headers,
      "x-amz-content-sha256": body === undefined ? EMPTY_HASH : createHash("sha256").update(body).digest("hex"),
    };
    return exchange({ method, url, headers: await this.signed(method, url, unsigned), body }, { idleMs, ca, signal });
  }

  private async signed(method: string, url: URL, headers: Record<string, string>): Promise<Record<string, string>> {
    const { credentials, region } = this.options;
    if (credentials === undefined) return headers;
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const now = new Date(this.settings.clock.nowMs()).toISOString();
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: "s3",
      region,
      cache: this.signingKeys,
      datetime: now.replace(/[:-]|\.\d{3}/g, ""),
    });
    const { headers: all } = await signer.sign();
    return Object.fromEntries(all);
  }

  private failed({ method, key }: S3Request, detail: string, cause?: unknown): LevinError {
    const what = method === "GET" ? "read" : method === "PUT" ? "write" : "remove";
    const fields = { path: this.nameOf(key), cause: (cause as { code?: string } | undefined)?.code };
    return new LevinError("Levin:Storage:ErrFailed", `Cannot ${what} "${this.nameOf(key)}": ${detail}`, {
      cause,
      fields,
    });
  }

  /** What a status that is no answer means. */
  private refusal(request: S3Request, { status, headers }: HttpAnswer, error: S3Error | undefined): LevinError {
    const text = error === undefined ? `the store answered with status ${status}` : `${error.message} (${error.code})`;
    const failed = this.failed(request, this.hinted(text, error, headers));
    const denied =
      status === 301 || status === 400 || status === 401 || status === 403 || error?.code === "NoSuchBucket";
    if (!denied || RETRIED_CODES.has(error?.code ?? "")) return failed;
    return new LevinError("Levin:Storage:ErrDenied", failed.message, { fields: { ...failed.fields, status } });
  }

  private hinted(text: string, error: S3Error | undefined, headers: HttpAnswer["headers"]): string {
    const region = headers["x-amz-bucket-region"] ?? error?.region;
    if (region !== undefined && region !== this.options.region) return `${text}; the bucket is in region ${region}`;
    if (error?.code === "RequestTimeTooSkewed") return `${text}; set this machine's clock`;
    if (this.options.credentials === undefined) return `${text}; no access key was given`;
    return text;
  }
}
