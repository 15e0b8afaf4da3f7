/**
 * HTTP for PD's API. On `node:http`, not `fetch`: Bun's `fetch` refuses a GET with a body and hides why a TLS handshake failed.
 * A function type, so that the simulator can answer in process.
 */
import * as http from "node:http";
import * as https from "node:https";

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

/** PEM texts. */
export interface HttpTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const answerBytesMax = 64 << 20;

export function nodeHttp(tls?: HttpTls): SendHttp {
  return (request, signal) =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string | number> = { accept: "application/json" };
      if (request.body !== undefined) {
        headers["content-type"] = "application/json";
        headers["content-length"] = new TextEncoder().encode(request.body).length;
      }
      const options = { method: request.method, headers, signal, agent: false as const };
      const onAnswer = (message: http.IncomingMessage): void => {
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
      };
      const sent = request.url.startsWith("https:")
        ? https.request(request.url, { ...options, ...tls }, onAnswer)
        : http.request(request.url, options, onAnswer);
      sent.on("error", reject);
      sent.end(request.body);
    });
}
