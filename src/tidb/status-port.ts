import http from "node:http";
import https from "node:https";
import { joinBytes, LevinError, textOf } from "../base/mod.ts";
import { isTlsCode, type TidbTls } from "./connection.ts";

export interface StatusPortOptions {
  host: string;
  port: number;
  tls?: TidbTls;
  timeoutMs: number;
}

function materialOf(tls: TidbTls): Pick<TidbTls, "ca" | "cert" | "key"> {
  const { ca, cert, key } = tls.current?.() ?? tls;
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

/** Called when an answer begins; what it returns gets the body's parts in their order, and must not throw. */
export type ReceiveParts = () => (part: Uint8Array) => void;

/**
 * GET of a path of TiDB's status port; the body's text, or nothing where `receive` takes it. Errors: `Levin:Tidb:ErrUnavailable`,
 * `Levin:Tidb:ErrStatusPort`.
 */
export async function getStatusPort(options: StatusPortOptions, path: string, receive?: ReceiveParts): Promise<string> {
  const address = `${options.host}:${options.port}`;
  const { status, body } = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const unavailable = (cause: Error & { code?: string }) =>
      reject(
        new LevinError(
          isTlsCode(cause.code) ? "Levin:Rpc:ErrTls" : "Levin:Tidb:ErrUnavailable",
          `Cannot read "${path}" from TiDB's status port at ${address} (--tidb-status): ${cause.message || cause.code}`,
          { cause, fields: { address, cause: cause.code } },
        ),
      );
    const request = (options.tls === undefined ? http : https).request(
      {
        host: options.host,
        port: options.port,
        path,
        method: "GET",
        agent: false,
        timeout: options.timeoutMs,
        ...(options.tls === undefined
          ? {}
          : {
              ...materialOf(options.tls),
              rejectUnauthorized: options.tls.verify,
            }),
      },
      (response) => {
        const parts: Uint8Array[] = [];
        const take = response.statusCode === 200 ? receive?.() : undefined;
        response.on("data", take ?? ((part: Uint8Array) => parts.push(part)));
        response.on("error", unavailable);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: textOf(joinBytes(parts)) }));
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${options.timeoutMs} ms`)));
    request.on("error", unavailable);
    request.end();
  });
  if (status !== 200) {
    throw new LevinError(
      "Levin:Tidb:ErrStatusPort",
      `TiDB's status port at ${address} answered ${status} to "${path}": ${body.slice(0, 300)}`,
      { fields: { address, status } },
    );
  }
  return body;
}
