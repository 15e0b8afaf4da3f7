/**
 * One HTTP exchange with whole bodies. On `node:http`, not `fetch`: bodies come as they are stored, whatever their Content-Encoding says, and
 * a certificate authority of one's own can be given.
 */
import * as http from "node:http";
import * as https from "node:https";
import { joinBytes } from "../base/mod.ts";

export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: Uint8Array | undefined;
}

export interface HttpAnswer {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string | undefined>;
  body: Uint8Array;
}

export interface HttpOptions {
  /** The exchange ends with an error when nothing moves for so long. */
  idleMs: number;
  /** Certificates in PEM that are trusted beside the system's. */
  ca?: string | undefined;
  signal?: AbortSignal | undefined;
}

const HTTP_AGENT = new http.Agent({ keepAlive: true, maxSockets: 16 });
const httpsAgents = new Map<string | undefined, https.Agent>();

function secureAgent(ca: string | undefined): https.Agent {
  let agent = httpsAgents.get(ca);
  if (agent === undefined) {
    agent = new https.Agent({ keepAlive: true, maxSockets: 16, ...(ca === undefined ? {} : { ca }) });
    httpsAgents.set(ca, agent);
  }
  return agent;
}

/** Rejects when there is no whole answer; any status is an answer. */
export function exchange(request: HttpRequest, { idleMs, ca, signal }: HttpOptions): Promise<HttpAnswer> {
  const { method, url, body } = request;
  const headers: Record<string, string> = { ...request.headers };
  if (body !== undefined || method === "PUT") headers["content-length"] = `${body?.length ?? 0}`;
  const common = { method, headers, timeout: idleMs, ...(signal === undefined ? {} : { signal }) };
  return new Promise((resolve, reject) => {
    const onAnswer = (message: http.IncomingMessage): void => {
      message.on("error", reject);
      message.on("aborted", () => reject(new Error("the connection was closed in the middle of the answer")));
      const parts: Uint8Array[] = [];
      let size = 0;
      message.on("data", (part: Uint8Array) => {
        parts.push(part);
        size += part.length;
      });
      message.on("end", () => {
        const declared = message.headers["content-length"];
        if (method !== "HEAD" && declared !== undefined && Number(declared) !== size) {
          reject(new Error(`the answer ended after ${size} of ${declared} bytes`));
          return;
        }
        const names = message.headers as Record<string, string | undefined>;
        resolve({
          status: message.statusCode ?? 0,
          headers: names,
          body: parts.length === 1 ? parts[0]! : joinBytes(parts),
        });
      });
    };
    const sent =
      url.protocol === "https:"
        ? https.request(url, { ...common, agent: secureAgent(ca), ...(ca === undefined ? {} : { ca }) }, onAnswer)
        : http.request(url, { ...common, agent: HTTP_AGENT }, onAnswer);
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${idleMs} ms`)));
    sent.on("error", reject);
    sent.end(body);
  });
}
