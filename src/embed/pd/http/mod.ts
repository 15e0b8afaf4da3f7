/** PD's HTTP API: a function from request to answer, and its form for `node:http`. */
import type { IncomingMessage, RequestListener } from "node:http";
import type { PdState } from "../state.ts";
import type { HttpAnswer, HttpRequest } from "./answer.ts";
import { configRoutes } from "./config-routes.ts";
import { labelRoutes } from "./label-routes.ts";
import { memberRoutes } from "./member-routes.ts";
import { placementRoutes } from "./placement-routes.ts";
import { regionRoutes } from "./region-routes.ts";
import { Router } from "./router.ts";
import { schedulerRoutes } from "./scheduler-routes.ts";
import { storeRoutes } from "./store-routes.ts";

export type { HttpAnswer, HttpRequest } from "./answer.ts";

/** Larger bodies are refused. */
const MAX_BODY = 16 * 1024 * 1024;

/** Answers requests of PD's HTTP API. */
export function pdHttp(pd: PdState): (request: HttpRequest) => Promise<HttpAnswer> {
  const router = new Router([
    ...memberRoutes(pd),
    ...configRoutes(pd),
    ...schedulerRoutes(pd),
    ...labelRoutes(pd),
    ...placementRoutes(pd),
    ...storeRoutes(pd),
    ...regionRoutes(pd),
  ]);
  return (request) => router.handle(request);
}

/** The API on a server of `node:http`. */
export function httpListener(handle: (request: HttpRequest) => Promise<HttpAnswer>): RequestListener {
  return (request, response) => {
    readBody(request)
      .then((body) => handle({ method: request.method ?? "GET", target: request.url ?? "/", body }))
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
