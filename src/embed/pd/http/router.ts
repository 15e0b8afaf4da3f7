import type { HttpAnswer, HttpRequest } from "../../net/mod.ts";
import type { Call } from "./answer.ts";
import { plain } from "./answer.ts";

export type Handler = (call: Call) => HttpAnswer | Promise<HttpAnswer>;

/** `[method, path, handler]`; a path segment that begins with ":" is a parameter, one with "*" takes the rest. */
export type Route = [method: string, path: string, handler: Handler];

/** Finds the handler of a request. Unknown paths are 404, known ones asked with another method 405 without a body. */
export class Router {
  readonly #routes: { method: string; segments: string[]; handler: Handler }[];

  constructor(routes: Route[]) {
    this.#routes = routes.map(([method, path, handler]) => ({ method, segments: path.split("/"), handler }));
  }

  async handle({ method, target, body }: HttpRequest): Promise<HttpAnswer> {
    const mark = target.indexOf("?");
    const path = mark < 0 ? target : target.slice(0, mark);
    const segments = path.split("/");
    let known = false;
    for (const route of this.#routes) {
      const params = match(route.segments, segments);
      if (params === undefined) continue;
      known = true;
      if (route.method !== method) continue;
      return route.handler({ params, query: parseQuery(mark < 0 ? "" : target.slice(mark + 1)), body });
    }
    return known ? { status: 405, body: "" } : plain("404 page not found\n", 404);
  }
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const part = pattern[i]!;
    const given = segments[i];
    if (given === undefined) return undefined;
    if (part.startsWith("*")) {
      params[part.slice(1)] = latin1(segments.slice(i).join("/"));
      return params;
    }
    if (part.startsWith(":")) params[part.slice(1)] = latin1(given);
    else if (part !== given) return undefined;
  }
  return pattern.length === segments.length ? params : undefined;
}

/** Percent-decoded bytes as one character each: paths hold raw keys. */
function latin1(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function parseQuery(text: string): Map<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  for (const part of text.split("&")) {
    if (part === "") continue;
    const mark = part.indexOf("=");
    const name = mark < 0 ? part : part.slice(0, mark);
    const value = mark < 0 ? "" : part.slice(mark + 1).replaceAll("+", " ");
    out.set(latin1(name), new Uint8Array(Buffer.from(latin1(value), "latin1")));
  }
  return out;
}
