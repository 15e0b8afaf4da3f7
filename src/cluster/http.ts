/**
 * HTTP for PD's API. On `node:http`, not `fetch`: Bun's `fetch` refuses a GET with a body and hides why a TLS handshake failed.
 * A function type, so that the simulator can answer in process.
 */
import * as http from "node:http";
import * as https from "node:https";
import * as tls from "node:tls";
import type { TlsOptions } from "../rpc/mod.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Absolute. */
  readonly url: string;
  /** JSON text. */
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Rejects when there is no answer; any status is an answer. */
export type SendHttp = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

const answerBytesMax = 64 << 20;

/** Over the network; the certificates are asked for with each request, so renewed files are taken up. */
export function nodeHttp(tlsOptions?: TlsOptions): SendHttp {
  return async (request, signal) => {
    const headers: Record<string, string | number> = { accept: "application/json" };
    const body = request.body === undefined ? undefined : new TextEncoder().encode(request.body);
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = body.length;
    }
    const options = { method: request.method, headers, signal, agent: false as const };
    if (!request.url.startsWith("https:")) {
      return await exchange((onAnswer) => http.request(request.url, options, onAnswer), body);
    }
    const secure = { ...options, ...(await secureOptions(tlsOptions)) };
    return await exchange((onAnswer) => https.request(request.url, secure, onAnswer), body);
  };
}

async function secureOptions(options: TlsOptions | undefined): Promise<https.RequestOptions> {
  if (options === undefined) return {};
  const { material, serverName, checkPeer } = options;
  return {
    ...(typeof material === "function" ? await material() : material),
    ...(serverName === undefined ? {} : { servername: serverName }),
    checkServerIdentity: (host, certificate) => {
      const wrongName = tls.checkServerIdentity(serverName ?? host, certificate);
      if (wrongName !== undefined) return wrongName;
      const refusal = checkPeer?.(certificate);
      if (refusal === undefined) return undefined;
      return Object.assign(new Error(`the server's certificate is refused: ${refusal}`), { code: "ERR_TLS_REFUSED" });
    },
  };
}

function exchange(
  open: (onAnswer: (message: http.IncomingMessage) => void) => http.ClientRequest,
  body: Uint8Array | undefined,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = open((message) => {
      const parts: Uint8Array[] = [];
      let size = 0;
      message.on("data", (part: Uint8Array) => {
        size += part.length;
        if (size > answerBytesMax) message.destroy(new Error(`the answer is larger than ${answerBytesMax} bytes`));
        parts.push(part);
      });
      message.on("error", reject);
      message.on("end", () =>
        resolve({ status: message.statusCode ?? 0, body: Buffer.concat(parts).toString("utf8") }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
