import type { IncomingMessage, RequestListener } from "node:http";

/** One HTTP/1.1 request, read whole. */
export interface HttpRequest {
  method: string;
  /** Path and query as they came. */
  target: string;
  body: string;
  /** By lower-case name. */
  headers?: Record<string, string | string[] | undefined>;
}

export interface HttpAnswer {
  status: number;
  /** Absent = no body. */
  contentType?: string;
  body: string;
}

/** Larger bodies are refused. */
const MAX_BODY = 16 * 1024 * 1024;

/** A function from request to answer on a server of `node:http`. */
export function httpListener(handle: (request: HttpRequest) => Promise<HttpAnswer>): RequestListener {
  return (request, response) => {
    readBody(request)
      .then((body) =>
        handle({ method: request.method ?? "GET", target: request.url ?? "/", body, headers: request.headers }),
      )
      .catch((thrown): HttpAnswer => ({ status: 500, contentType: "text/plain", body: String(thrown) }))
      .then((answer) => {
        response.statusCode = answer.status;
        if (answer.contentType !== undefined) response.setHeader("content-type", answer.contentType);
        response.end(answer.body);
      });
  };
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    request.on("data", (part: Buffer) => {
      size += part.length;
      if (size > MAX_BODY) reject(new Error("http: request body too large"));
      else parts.push(part);
    });
    request.on("end", () => resolve(Buffer.concat(parts).toString("utf8")));
    request.on("error", reject);
  });
}
