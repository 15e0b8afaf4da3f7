import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Front } from "./front.ts";

/** JSON with bigints as plain numbers, as Go writes them. */
export function losslessJson(value: unknown): string {
  const text = JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `\u0000${one}\u0000` : one));
  return text.replace(/"\\u0000(-?\d+)\\u0000"/g, "$1");
}

export interface StatusAnswer {
  status: number;
  body: string;
  json: boolean;
}

const json = (value: unknown): StatusAnswer => ({ status: 200, body: losslessJson(value), json: true });
const bad = (body: string): StatusAnswer => ({ status: 400, body, json: false });

/** TiDB's status port: /status, /settings, /schema and below. */
export async function listenStatusPort(
  front: Front,
  options: { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = http.createServer((request, response) => {
    const { status, body, json: isJson } = answerStatusPort(front, request.url ?? "/");
    response.writeHead(status, { "content-type": isJson ? "application/json" : "text/plain; charset=utf-8" });
    response.end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const cistr = (name: string) => ({ O: name, L: name.toLowerCase() });

/** Answers a GET of the status port. */
export function answerStatusPort(front: Front, url: string): StatusAnswer {
  const { pathname, searchParams } = new URL(url, "http://tidb");
  const parts = pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  const { catalog, addresses } = front;
  if (parts[0] === "status") return json({ connections: 0, version: front.version, git_hash: "levin" });
  if (parts[0] === "settings") {
    return json({
      host: addresses.host,
      "advertise-address": addresses.host,
      port: addresses.port,
      store: "tikv",
      path: addresses.pd.join(","),
      status: { "status-host": addresses.host, "status-port": addresses.statusPort },
      new_collations_enabled_on_first_bootstrap: front.newCollations,
    });
  }
  if (parts[0] === "info")
    return json({
      version: front.version,
      listening_port: addresses.port,
      status_port: addresses.statusPort,
      ip: addresses.host,
      is_owner: true,
    });
  if (parts[0] !== "schema") return { status: 404, body: "404 page not found\n", json: false };
  const ids = searchParams.get("table_ids") ?? searchParams.get("table_id");
  if (ids !== null) return byIds(front, ids, searchParams.has("table_ids"));
  if (parts[1] === undefined) {
    return json(
      catalog
        .databases()
        .map((db) => ({ id: db.id, db_name: cistr(db.name), charset: db.charset, collate: db.collate, state: 5 })),
    );
  }
  const db = catalog.database(parts[1]);
  if (db === undefined) return bad(`[schema:1049]Unknown database '${parts[1]}'`);
  if (parts[2] === undefined) {
    const tables = catalog.tables(db.name);
    return json(
      searchParams.has("id_name_only") ? tables.map((table) => ({ id: table.id, name: table.name })) : tables,
    );
  }
  const table = catalog.table(db.name, parts[2]);
  return table === undefined ? bad(`[schema:1146]Table '${db.name}.${parts[2]}' doesn't exist`) : json(table);
}

function byIds(front: Front, ids: string, several: boolean): StatusAnswer {
  const wanted = ids.split(",").map(Number);
  const found = front.catalog
    .databases()
    .flatMap((db) => front.catalog.tables(db.name))
    .filter((table) => wanted.includes(table.id));
  if (several) return json(Object.fromEntries(found.map((table) => [table.id, table])));
  return found[0] === undefined ? bad(`[schema:1146]Table which ID = ${ids} does not exist.`) : json(found[0]);
}
